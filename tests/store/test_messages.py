"""The rules of sending on the real log: one message per key, one attempt per message, bodies sealed."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from domain import contact, message, recipient
from domain.message.content import MessageContent, MessageRequest, content_of, encode
from domain.store.log import Store
from domain.store.order import Accepted, Order, Refused
from tests.store.conftest import CONTEXT, NOON, upsert

SECRET = "okapi"


@pytest.fixture
def contact_id(store: Store) -> int:
    """A contact that mail can be sealed for."""
    [outcome] = store.handle(upsert("ann@example.com"))
    assert isinstance(outcome, Accepted)
    return outcome.number


def order(contact_id: int, command: Any, **named: Any) -> Order:
    return Order(decider=message.transactional, command=command, context=CONTEXT, contact_id=contact_id, **named)


def request(contact_id: int) -> Order:
    command = message.RequestMessage(
        at=NOON,
        organization_id=1,
        client_id=2,
        contact_id=contact_id,
        template_key="reset",
        template_version=1,
        sender_id="courses",
        sender="courses@example.com",
        content=encode(MessageContent(subject=f"Hi {SECRET}", text=f"Hello {SECRET}")),
        request=encode(MessageRequest(idempotency_key="k", context={"name": SECRET})),
    )
    return order(contact_id, command, key=message.key_of(2, "k"))


def test_sixteen_requests_at_once_make_one_message(
    store: Store, open_store: Callable[[], Store], contact_id: int
) -> None:
    stores = [store, *(open_store() for _ in range(3))]
    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(lambda n: stores[n % 4].handle(request(contact_id))[0], range(16)))
    accepted = [outcome for outcome in outcomes if isinstance(outcome, Accepted)]
    assert len(accepted) == 16
    assert len({outcome.number for outcome in accepted}) == 1
    assert sum(len(outcome.events) for outcome in accepted) == 1


def test_of_many_senders_one_attempts_a_campaigns_message(
    store: Store, open_store: Callable[[], Store], contact_id: int
) -> None:
    stores = [store, *(open_store() for _ in range(3))]
    number = message.campaign_message_number(5, contact_id)

    def to(command: Any) -> Order:
        return Order(
            decider=message.of_campaign, number=number, command=command, context=CONTEXT, contact_id=contact_id
        )

    store.handle(to(message.PlanMessage(at=NOON, campaign_id=5, contact_id=contact_id)))
    attempt = to(message.AttemptMessage(at=NOON))
    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(lambda n: stores[n % 4].handle(attempt)[0], range(8)))
    assert sum(isinstance(outcome, Accepted) for outcome in outcomes) == 1
    assert all(isinstance(outcome, Accepted | Refused) for outcome in outcomes)
    [event, _] = store.read(after=1, limit=9)[-2:]
    assert message.campaign_and_contact(event.stream) == (5, contact_id)


def test_what_a_message_says_is_sealed_survives_a_snapshot_and_dies_with_the_contact(
    store: Store, open_store: Callable[[], Store], database: str, contact_id: int
) -> None:
    [requested] = store.handle(request(contact_id))
    assert isinstance(requested, Accepted)
    opened = message.RecordOpen(at=NOON)
    store.handle(*(order(contact_id, opened, number=requested.number) for _ in range(150)))
    clicked = message.RecordClick(at=NOON, link=0, url=f"https://a.example/{SECRET}")
    [outcome] = store.handle(order(contact_id, clicked, number=requested.number))
    assert isinstance(outcome, Accepted)
    assert outcome.state.open_count == 150
    assert outcome.state.requested is not None
    content = content_of(outcome.state.requested.content)
    assert content is not None
    assert content.text == f"Hello {SECRET}"
    with psycopg.connect(database) as connection:
        [(snapshots,)] = connection.execute("SELECT count(*) FROM snapshots").fetchall()
        stored = connection.execute("SELECT state FROM log UNION ALL SELECT state FROM snapshots").fetchall()
    assert snapshots == 1
    assert not any(SECRET.encode() in bytes(state) for (state,) in stored)
    erase = contact.EraseContact(at=NOON, organization_id=1)
    store.handle(Order(decider=contact.decider, number=contact_id, command=erase, context=CONTEXT))
    [outcome] = open_store().handle(order(contact_id, opened, number=requested.number))
    assert isinstance(outcome, Accepted)
    assert outcome.state.open_count == 151
    assert content_of(outcome.state.requested.content) is None


def test_what_a_client_says_of_a_recipient_is_sealed(store: Store, database: str, contact_id: int) -> None:
    put = recipient.PutRecipient(
        at=NOON, list_id=3, contact_id=contact_id, source_object_key=SECRET, metadata={"name": SECRET}
    )
    added = Order(
        decider=recipient.decider,
        key=recipient.key_of(3, SECRET),
        command=put,
        context=CONTEXT,
        contact_id=contact_id,
    )
    first, second = (store.handle(added)[0] for _ in range(2))
    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert (len(first.events), second.events, second.number) == (1, (), first.number)
    with psycopg.connect(database) as connection:
        rows = connection.execute("SELECT state FROM log").fetchall()
    assert not any(SECRET.encode() in bytes(state) for (state,) in rows)
