"""The contacts read model shows what the domain knows, in each scope, with the time of the last change shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from consumers.session import Connection
from domain import contact
from domain.contact.state import text_of
from domain.store.log import Store
from domain.store.order import Context, Order
from projections.contacts import PROJECTION
from projections.engine import Applied
from tests.projections.histories import (
    NOON,
    a_contact_order,
    begin,
    clear,
    deliver,
    put,
    replayed,
    rows,
)
from tests.projections.mail_histories import PEOPLE

LATER = NOON + timedelta(hours=1)
EVEN_LATER = NOON + timedelta(hours=2)


class Case:
    """A log, and the read model after it."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self._store = store
        self._connection = connection
        self._there = 0
        begin(connection, PROJECTION)

    def orders(self, *history: Order) -> None:
        events = put(self._store, self._connection, history, self._there)
        assert deliver(self._connection, self._store, PROJECTION, events, prev=self._there) == Applied()
        self._there += len(events)

    def commands(self, *commands: Any, key: str = PEOPLE[0]) -> None:
        self.orders(
            *[
                Order(decider=contact.decider, key=key, context=Context(organization_id=c.organization_id), command=c)
                for c in commands
            ]
        )

    def rows(self) -> list[dict[str, Any]]:
        cursor = self._connection.cursor(row_factory=dict_row)
        return cursor.execute("SELECT * FROM contacts ORDER BY contact_id, audience_id, client_id").fetchall()

    def shown(self, *columns: str) -> list[tuple[Any, ...]]:
        return [tuple(row[column] for column in columns) for row in self.rows()]


@pytest.fixture
def case(store: Store, connection: Connection) -> Case:
    return Case(store, connection)


def scope(audience_id: int = 11, client_id: int = 21, organization_id: int = 1) -> dict[str, int]:
    return {"audience_id": audience_id, "client_id": client_id, "organization_id": organization_id}


def upsert(at: Any = NOON, **said: Any) -> contact.UpsertContact:
    return contact.UpsertContact(**{**scope(), "at": at, "email": PEOPLE[0], **said})


def expected(number: int, state: contact.Contact) -> list[tuple[Any, ...]]:
    """What the rows of a contact must show, by the domain's own state."""
    verdict = state.validation
    facts = (
        text_of(state.email),
        state.verified_at,
        (verdict.status, text_of(verdict.reason), verdict.validated_at),
        (bool(state.global_unsubscribes), bool(state.hard_bounces), bool(state.complaints)),
    )
    if not state.subscriptions:
        return [(0, 0, number, facts, (0, None, None, None, ""), [])] if state.email is not None else []
    return [
        (
            audience,
            client,
            number,
            facts,
            (s.organization_id, s.status, s.verified_at, s.unsubscribed_at, text_of(s.reason)),
            sorted(state.tags.get(audience, ())),
        )
        for (audience, client), s in sorted(state.subscriptions.items())
    ]


def shown(row: dict[str, Any]) -> tuple[Any, ...]:
    facts = (
        row["email"],
        row["globally_verified_at"],
        (row["validation_status"], row["validation_reason"], row["validated_at"]),
        (row["global_unsubscribed"], row["hard_bounced"], row["complained"]),
    )
    own = ("organization_id", "status", "verified_at", "unsubscribed_at", "unsubscribe_reason")
    scope = tuple(row[column] for column in own)
    return (row["audience_id"], row["client_id"], row["contact_id"], facts, scope, row["tags"])


@given(history=st.lists(a_contact_order(), min_size=1, max_size=25))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_rows_show_the_domains_state(store: Store, connection: Connection, history: Sequence[Order]) -> None:
    clear(connection)
    case = Case(store, connection)
    case.orders(*history)
    streams = connection.execute("SELECT DISTINCT contact_id FROM log ORDER BY 1").fetchall()
    loaded = store.load(contact.decider, numbers=[number for (number,) in streams])
    wanted = [row for thing in loaded for row in expected(thing.number, thing.state)]
    assert [shown(row) for row in case.rows()] == wanted


def test_a_contact_without_a_subscription_has_a_row_nowhere_until_its_first(case: Case) -> None:
    case.commands(contact.RegisterContact(at=NOON, organization_id=1, email=PEOPLE[0]))
    assert case.shown("audience_id", "client_id", "status", "email") == [(0, 0, None, PEOPLE[0])]
    case.commands(upsert(status="subscribed"))
    assert case.shown("audience_id", "client_id", "status", "email") == [(11, 21, "subscribed", PEOPLE[0])]


def test_a_change_of_the_contact_touches_every_row_and_one_of_a_scope_only_its_own(case: Case) -> None:
    case.commands(upsert(), upsert(**scope(12, 22)))
    case.commands(contact.ValidateEmail(at=LATER, **scope(), verdict=contact.EmailVerdict(status="risky")))
    assert case.shown("audience_id", "updated_at") == [(11, LATER), (12, LATER)]
    case.commands(contact.TagContact(at=EVEN_LATER, **scope(), tag="ML"))
    assert case.shown("audience_id", "updated_at", "tags") == [(11, EVEN_LATER, ["ml"]), (12, LATER, [])]


def test_a_new_scope_of_an_audience_shows_the_tags_that_are_there(case: Case) -> None:
    case.commands(upsert(tags=("b", "a")))
    case.commands(upsert(LATER, **scope(client_id=0), status="unsubscribed"))
    assert case.shown("client_id", "tags", "updated_at") == [(0, ["a", "b"], LATER), (21, ["a", "b"], NOON)]


def test_a_suppression_shows_until_every_organization_has_lifted_its_own(case: Case) -> None:
    bounced, lifted = contact.Suppressions(hard_bounced=True), contact.Suppressions(hard_bounced=False)
    case.commands(upsert(suppressions=bounced), upsert(LATER, **scope(13, 23, 2), suppressions=bounced))
    assert case.shown("hard_bounced", "updated_at") == [(True, NOON), (True, LATER)]
    case.commands(contact.SuppressContact(at=EVEN_LATER, **scope(), suppressions=lifted))
    assert case.shown("hard_bounced", "updated_at") == [(True, NOON), (True, LATER)]
    case.commands(contact.SuppressContact(at=EVEN_LATER, **scope(13, 23, 2), suppressions=lifted))
    assert case.shown("hard_bounced", "updated_at") == [(False, EVEN_LATER), (False, EVEN_LATER)]


def test_erasing_takes_the_organizations_rows_and_with_the_last_one_all(case: Case) -> None:
    judged = contact.EmailVerdict(status="valid", reason="said by organization one")
    case.commands(upsert(tags=("a",), validation=judged), upsert(**scope(13, 23, 2)))
    case.commands(contact.EraseContact(at=LATER, organization_id=1))
    assert case.shown("audience_id", "email", "validation_status", "validation_reason", "updated_at") == [
        (13, PEOPLE[0], "valid", "", LATER)
    ]
    case.commands(contact.EraseContact(at=LATER, organization_id=2))
    assert case.rows() == []


def test_a_replay_after_an_erasure_comes_to_the_same_times(
    case: Case, database: str, store: Store, connection: Connection
) -> None:
    case.commands(upsert(), upsert(**scope(13, 23, 2)))
    for at, reason in ((NOON, "first"), (LATER, "second")):
        verdict = contact.EmailVerdict(status="valid", reason=reason, validated_at=NOON)
        case.commands(contact.ValidateEmail(at=at, **scope(), verdict=verdict))
    case.commands(contact.EraseContact(at=EVEN_LATER, organization_id=1))
    assert rows(connection, PROJECTION) == replayed(database, store, PROJECTION)
