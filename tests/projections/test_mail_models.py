"""Read models of mail show what the domain knows, and counters are the sums of the rows that they count."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from operator import itemgetter
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.rows import dict_row

from consumers.session import Connection
from domain import campaign, message, template
from domain.decider import Decider
from domain.store.log import Store
from domain.store.order import Order
from projections import campaign_recipients, campaigns, messages, templates
from projections.campaign_counters import Counters, Rates, rates
from projections.engine import Applied
from projections.mail_facts import MailFacts
from projections.projection import Projection
from tests.projections.histories import begin, clear, deliver, put
from tests.projections.mail_histories import a_campaigns_course, a_messages_course, a_template_order

NUMBER = (1 << 96) - 1
on_one_database = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


def courses(course: st.SearchStrategy[list[Order]]) -> st.SearchStrategy[list[Order]]:
    return st.lists(course, min_size=1, max_size=8).map(lambda parts: [*chain.from_iterable(parts)])


def fold(store: Store, connection: Connection, history: Sequence[Order], *projections: Projection) -> None:
    """Fold the history in two batches."""
    clear(connection)
    events = put(store, connection, history)
    middle = len(events) // 2
    for projection in projections:
        begin(connection, projection)
        for part, prev in ((events[:middle], 0), (events[middle:], middle)):
            assert deliver(connection, store, projection, part, prev) == Applied()


def states(store: Store, connection: Connection, decider: Decider[Any]) -> dict[int, Any]:
    """What the domain makes of every stream of a kind, by number."""
    bounds = (UUID(int=decider.kind << 96), UUID(int=decider.kind + 1 << 96))
    found = connection.execute(
        "SELECT DISTINCT originator_id FROM log WHERE originator_id >= %s AND originator_id < %s", bounds
    )
    numbers = sorted(stream.int & NUMBER for (stream,) in found)
    return {n: each.state for n, each in zip(numbers, store.load(decider, numbers=numbers), strict=True)}


def table(connection: Connection, name: str) -> list[dict[str, Any]]:
    return connection.cursor(row_factory=dict_row).execute(f"SELECT * FROM {name}").fetchall()


def facts(told: Any) -> dict[str, Any]:
    """What became of a mail, of a row or of a state."""
    return {name: told[name] if isinstance(told, dict) else getattr(told, name) for name in MailFacts.__struct_fields__}


@given(history=courses(a_messages_course()))
@on_one_database
def test_rows_show_what_became_of_the_mail_and_are_counted(
    store: Store, connection: Connection, history: list[Order]
) -> None:
    fold(store, connection, history, campaign_recipients.PROJECTION, messages.PROJECTION)
    of_campaigns = states(store, connection, message.of_campaign)
    rows = {
        message.campaign_message_number(row["campaign_id"], row["contact_id"]): row
        for row in table(connection, "campaign_recipients")
    }
    assert {number: facts(row) for number, row in rows.items()} == {n: facts(s) for n, s in of_campaigns.items()}
    transactional = states(store, connection, message.transactional)
    sent = {row["message_id"]: row for row in table(connection, "messages")}
    assert {number: facts(row) for number, row in sent.items()} == {n: facts(s) for n, s in transactional.items()}
    for number, state in transactional.items():
        taken = {name: getattr(state.requested, name) for name in messages.TAKEN}
        assert {name: sent[number][name] for name in messages.TAKEN} == taken
        assert sent[number]["ses_message_id"] == state.ses_message_id
    assert_counted(connection)


def assert_counted(connection: Connection) -> None:
    """The counters are the sums of the rows that they count."""
    before = table(connection, "campaign_counters")
    connection.execute(campaign_recipients.PROJECTION.derived)
    by_number = itemgetter("campaign_id")
    assert sorted(before, key=by_number) == sorted(table(connection, "campaign_counters"), key=by_number)


@given(history=courses(a_campaigns_course()))
@on_one_database
def test_rows_show_campaigns(store: Store, connection: Connection, history: list[Order]) -> None:
    fold(store, connection, history, campaigns.PROJECTION)
    rows = {row["campaign_id"]: row for row in table(connection, "campaigns")}
    there = states(store, connection, campaign.decider)
    assert rows.keys() == there.keys()
    same = ("organization_id", "client_id", "audience_id", "external_key", "phase", "paused", "status")
    times = ("created_at", "updated_at", "queued_at", "finished_at")
    said = ("subject", "preview_text", "from_email", "category_tag", "recipient_list_key", "scheduled_at")
    for number, state in there.items():
        row = rows[number]
        assert [row[name] for name in same + times] == [getattr(state, name) for name in same + times]
        assert [row[name] for name in said] == [getattr(state.content, name) for name in said]
        assert (tuple(row["links"]), row["last_error"]) == (state.links, state.error)
        snapshot = (row["snapshot_position"], row["snapshot_recipients"], row["snapshot_skipped"])
        assert snapshot == (state.position, state.recipient_count, state.skipped_count)


@given(history=courses(a_template_order()))
@on_one_database
def test_rows_show_templates(store: Store, connection: Connection, history: list[Order]) -> None:
    fold(store, connection, history, templates.PROJECTION)
    rows = {row["template_id"]: row for row in table(connection, "templates")}
    there = states(store, connection, template.decider)
    assert rows.keys() == there.keys()
    same = ("organization_id", "client_id", "key", "version", "created_at", "updated_at")
    for number, state in there.items():
        row = rows[number]
        assert [row[name] for name in same] == [getattr(state, name) for name in same]
        assert [row[name] for name in templates.SAID] == [getattr(state.content, name) for name in templates.SAID]


@pytest.mark.parametrize(
    ("counters", "expected"),
    [
        (Counters(), Rates(0, 0, 0, 0, 0, 0, 0)),
        (Counters(recipient_count=9, skipped_count=3, failed_count=9), Rates(0, 0, 0, 0, 0, 0, 0)),
        (
            Counters(12, 10, 5, 2, 9, 4, 40, 3, 30, 1, 1, 2),
            Rates(
                delivery_rate=0.9,
                open_rate=0.4,
                click_rate=0.3,
                click_to_open_rate=0.75,
                unsubscribe_rate=0.1,
                bounce_rate=0.1,
                complaint_rate=0.2,
            ),
        ),
        (Counters(sent_count=3, delivered_count=2), Rates(0.6667, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_rates_are_shares_of_the_mails_sent(counters: Counters, expected: Rates) -> None:
    assert rates(counters) == expected
