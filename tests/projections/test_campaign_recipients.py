"""Pages of a campaign's recipients, its counters, and what happened to it over time, as the API reads them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from consumers.session import Connection, connect, read
from domain import contact, message
from domain.store.log import Store
from projections import campaign_activity, campaign_recipients, campaigns, contact_timeline, messages
from projections.campaign_activity import Activity, LinkClicks, by_link, over_time
from projections.campaign_counters import Counters, counters_of
from projections.campaign_recipients import Recipient, page
from projections.projection import Opened
from tests.consumers.running import wait_until
from tests.projections.mailing import NOON, OTHERS, SENT, Mailing

HOUR = timedelta(hours=1)
ATTEMPT = message.AttemptMessage(at=NOON)
BOUNCE = message.RecordBounce(at=NOON, event_id="b", ses_message_id="ses-1", bounce_type="Transient")
COMPLAINT = message.RecordComplaint(at=NOON, event_id="c", ses_message_id="ses-1")
SKIP = message.SkipMessage(at=NOON, reason="client_unsubscribe")
REJECTION = message.RecordRejection(at=NOON, event_id="r", ses_message_id="ses-1")


@pytest.fixture
def mailing(store: Store, connection: Connection) -> Mailing:
    return Mailing(store, connection)


def recipients(mailing: Mailing, campaign_id: int, **asked: Any) -> list[Recipient]:
    return mailing.ask(lambda connection: page(connection, campaign_id, **{"limit": 100, **asked}))


def people(mailing: Mailing, count: int) -> list[int]:
    return [mailing.person(f"person{n}@example.com") for n in range(count)]


FATES: list[tuple[tuple[Any, ...], tuple[str, str | None, str]]] = [
    ((), ("queued", None, "")),
    ((ATTEMPT,), ("sending", None, "")),
    ((ATTEMPT, message.RecordUnconfirmed(at=NOON)), ("unconfirmed", None, "unconfirmed")),
    ((ATTEMPT, message.RecordFailure(at=NOON, code="MessageRejected")), ("failed", None, "MessageRejected")),
    (SENT, ("sent", None, "")),
    ((*SENT, BOUNCE), ("bounced", None, "bounced_transient")),
    ((*SENT, BOUNCE, COMPLAINT), ("complained", None, "bounced_transient")),
    ((*SENT, REJECTION), ("failed", None, "rejected")),
    ((SKIP,), ("skipped", "client_unsubscribe", "")),
]
"""What becomes of a mail, and the status, reason and error that are then shown."""


def test_every_fate_of_a_mail_is_shown_and_counted(mailing: Mailing) -> None:
    number = mailing.draft()
    for contact_id, (fate, _) in zip(people(mailing, len(FATES)), FATES, strict=True):
        mailing.mail(number, contact_id, *fate)
    mailing.show()
    shown = [(each.status, each.skip_reason, each.last_error) for each in recipients(mailing, number)]
    assert shown == [expected for _, expected in FATES]
    expected = Counters(
        recipient_count=8, sent_count=3, skipped_count=1, failed_count=2, bounce_count=2, complaint_count=1
    )
    assert mailing.ask(lambda connection: counters_of(connection, number)) == expected


def test_one_who_leaves_before_sending_moves_from_the_recipients_to_the_skipped(mailing: Mailing) -> None:
    number = mailing.draft()
    [contact_id] = people(mailing, 1)
    for commands, expected in (((), Counters(recipient_count=1)), ((SKIP,), Counters(skipped_count=1))):
        mailing.mail(number, contact_id, *commands)
        mailing.show()
        assert mailing.ask(lambda connection: counters_of(connection, number)) == expected


def test_transactions_at_once_lose_no_count(mailing: Mailing, database: str) -> None:
    """Partitions are folded by processes that know nothing of each other."""
    number = mailing.draft()
    for contact_id in people(mailing, 6):
        mailing.mail(number, contact_id, *SENT)
    events = [event for event in read(mailing.connection, 0, 1_000) if event.kind == message.of_campaign.kind]
    opened = mailing.store.unsealer.open(mailing.connection, events)
    halves = [[pair for pair in opened if pair[0].contact_id % 2 == half] for half in (0, 1)]
    fold = campaign_recipients.PROJECTION.fold
    with connect(database, "test other") as other, ThreadPoolExecutor(1) as pool:
        with mailing.connection.transaction():
            fold(mailing.connection, wanted(halves[0]))
            waiting = pool.submit(fold, other, wanted(halves[1]))
            wait_until(database, lambda connection: blocked(connection, other), "the other fold to wait")
        waiting.result()
    counters = mailing.ask(lambda connection: counters_of(connection, number))
    assert (counters.recipient_count, counters.sent_count) == (6, 6)


def wanted(opened: Sequence[Opened]) -> list[Opened]:
    """What the model folds of the events."""
    return [pair for pair in opened if type(pair[1]) in campaign_recipients.PROJECTION.events]


def blocked(connection: Connection, other: Connection) -> bool:
    row = connection.execute("SELECT cardinality(pg_blocking_pids(%s))", (other.info.backend_pid,)).fetchone()
    return row is not None and row[0] > 0


def test_pages_go_on_where_the_last_one_ended_and_filters_hold(mailing: Mailing) -> None:
    number, other = mailing.draft(), mailing.draft("june-news")
    everybody = people(mailing, 7)
    for n, contact_id in enumerate(everybody):
        mailing.mail(number, contact_id, *((SKIP,) if n % 2 else SENT))
        mailing.mail(other, contact_id)
    mailing.show()
    pages = [recipients(mailing, number, limit=3, after=after) for after in (0, everybody[2], everybody[5])]
    assert [[each.contact_id for each in found] for found in pages] == [everybody[:3], everybody[3:6], everybody[6:]]
    assert [each.contact_id for each in recipients(mailing, number, status="sent")] == everybody[::2]
    assert [each.contact_id for each in recipients(mailing, number, skip_reason="client_unsubscribe")] == everybody[
        1::2
    ]
    assert recipients(mailing, number, status="sent", skip_reason="client_unsubscribe") == []
    assert recipients(mailing, number + other) == []


def test_an_address_is_shown_as_long_as_the_organization_has_the_contact(mailing: Mailing) -> None:
    number, email = mailing.draft(), "shared@example.com"
    contact_id = mailing.person(email)
    assert mailing.person(email, OTHERS) == contact_id
    stranger = mailing.person("stranger@example.com", OTHERS)
    for each in (contact_id, stranger):
        mailing.mail(number, each)
    mailing.show()
    assert [each.email for each in recipients(mailing, number)] == [email, None]
    mailing.handle(contact.decider, contact.EraseContact(at=NOON, organization_id=1), key=email)
    mailing.show()
    assert [(each.contact_id, each.email) for each in recipients(mailing, number)] == [
        (contact_id, None),
        (stranger, None),
    ]
    assert mailing.ask(lambda connection: counters_of(connection, number)).recipient_count == 2


def test_activity_is_told_by_the_hour_the_day_and_the_link(mailing: Mailing) -> None:
    number = mailing.draft()
    late = NOON + timedelta(minutes=59, seconds=59)
    for contact_id in people(mailing, 3):
        heard = [message.RecordOpen(at=NOON), message.RecordOpen(at=late), message.RecordOpen(at=NOON + HOUR)]
        followed = [message.RecordClick(at=NOON + 24 * HOUR, link=link) for link in (1, 1, 0, None)]
        mailing.mail(number, contact_id, *SENT, *heard, *followed)
    tried = mailing.request("trial", contact_id, *SENT, message.RecordOpen(at=NOON), campaign_id=number)
    assert tried
    mailing.show()
    assert mailing.ask(lambda connection: over_time(connection, number)) == [
        Activity(NOON, 3, 6, 0),
        Activity(NOON + HOUR, 0, 3, 0),
        Activity(NOON + 24 * HOUR, 0, 0, 12),
    ]
    midnight = NOON.replace(hour=0)
    assert mailing.ask(lambda connection: over_time(connection, number, "day")) == [
        Activity(midnight, 3, 9, 0),
        Activity(midnight + 24 * HOUR, 0, 0, 12),
    ]
    links = [LinkClicks(1, 6), LinkClicks(None, 3), LinkClicks(0, 3)]
    assert mailing.ask(lambda connection: by_link(connection, number)) == links
    assert mailing.ask(lambda connection: over_time(connection, number + 1)) == []


def test_no_row_holds_an_address_or_what_the_mail_says(mailing: Mailing) -> None:
    number = mailing.draft(preview_text="Preview", metadata={"note": "private"})
    [contact_id] = people(mailing, 1)
    mailing.mail(number, contact_id, *SENT, message.RecordClick(at=NOON, link=0, url="https://example.com/?who=ann"))
    mailing.request("key-of-ann", contact_id, *SENT)
    mailing.show()
    models = (campaign_recipients, campaign_activity, campaigns, messages, contact_timeline)
    for table in [name for model in models for name in model.PROJECTION.tables]:
        [*rows] = mailing.connection.execute(f"SELECT t::text FROM {table} t")
        assert rows
        for text in ("example.com", "Secret words", "Ann", "key-of-ann", "who=ann", "private"):
            assert text not in str(rows), table
