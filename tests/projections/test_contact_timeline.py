"""The timeline of a contact: what it shows to whom, page by page, and what an erasure leaves of it."""

from __future__ import annotations

from datetime import timedelta
from typing import NamedTuple

import pytest

from consumers.session import Connection
from domain import contact, message
from domain.catalog import EVENTS
from domain.contact import events as c
from domain.decider import Event
from domain.message import events as m
from domain.store.log import Store
from projections.contact_history import HistoryPage, Viewer, page
from projections.contact_timeline import DETAILS, PROJECTION
from projections.projection import Projection
from tests.projections.histories import replayed, rows
from tests.projections.mailing import NOON, OTHERS, SCOPE, SENT, Mailing

EMAIL = "ann@example.com"
END = 10**9
LATER = NOON + timedelta(hours=1)
COPIES: set[type[Event]] = {m.MessageCopyDelivered, m.MessageCopyBounced, m.MessageCopyComplained}
LEDGER: set[type[Event]] = {m.MessageAttempted, m.MessageReleased}
BACKSTAGE: set[type[Event]] = LEDGER | COPIES | {c.ContactErased}
"""Events that no timeline shows: the ledger's own, what became of others' copies, and the end of all showing."""


@pytest.fixture
def mailing(store: Store, connection: Connection) -> Mailing:
    return Mailing(store, connection)


def seen(mailing: Mailing, contact_id: int, whose: dict[str, int] = SCOPE, **asked: int) -> HistoryPage:
    viewer, before, limit = Viewer(**whose), asked.get("before", END), asked.get("limit", 99)
    return mailing.ask(lambda connection: page(connection, viewer, contact_id, before=before, limit=limit))


def types(found: HistoryPage) -> list[str]:
    return [event.type for event in found.events]


def test_every_event_of_a_contact_is_shown_or_is_known_not_to_be() -> None:
    kinds = {"contact", "message", "campaign_message"}
    known = {event.cls for event in EVENTS.values() if event.name.partition(".")[0] in kinds}
    assert known == DETAILS.keys() | BACKSTAGE


class Story(NamedTuple):
    """A contact that opened and followed a campaign's mail and got a transactional one, as its client sees it."""

    campaign_id: int
    message_id: int
    found: HistoryPage


@pytest.fixture
def story(mailing: Mailing) -> Story:
    contact_id = mailing.person(EMAIL, tags=("ML",), verified=True)
    number = mailing.draft()
    mailing.mail(number, contact_id, *SENT, message.RecordOpen(at=LATER), message.RecordClick(at=LATER, link=0))
    asked = mailing.request("key", contact_id, *SENT, category_tag="news", audience_id=11)
    mailing.show()
    return Story(number, asked, seen(mailing, contact_id))


def test_it_tells_of_the_contact_and_of_its_mail_newest_first(story: Story) -> None:
    number, asked, found = story
    assert [(event.type.partition(".")[2], event.campaign_id, event.message_id) for event in found.events] == [
        ("sent", None, asked),
        ("requested", None, asked),
        ("clicked", number, None),
        ("opened", number, None),
        ("sent", number, None),
        ("requested", number, None),
        ("tagged", None, None),
        ("subscribed", None, None),
        ("registered", None, None),
    ]
    data = {event.type: event.data for event in found.events}
    assert data["message.requested"] == {"template_key": "welcome", "category_tag": "news"}
    assert (data["message.clicked"], data["message.opened"]) == ({"link": 0}, {})
    assert data["contact.tagged"] == {"tags": [{"slug": "ml", "name": "ML"}]}
    assert [event.id for event in found.events] == sorted((event.id for event in found.events), reverse=True)
    assert {event.source for event in found.events} == {"sender"}


def test_it_has_the_mail_that_its_events_are_of(story: Story) -> None:
    [recipient], [sent] = story.found.campaigns, story.found.messages
    assert (recipient.campaign, recipient.subject, recipient.status) == ("may-news", "News", "sent")
    assert (recipient.first_opened_at, recipient.open_count, recipient.click_count) == (LATER, 1, 1)
    assert (sent.id, sent.template_key, sent.category_tag, sent.status) == (story.message_id, "welcome", "news", "sent")
    assert not story.found.more


def test_a_page_has_the_mail_of_its_events_and_ends_where_the_next_begins(mailing: Mailing) -> None:
    contact_id = mailing.person(EMAIL)
    numbers = [mailing.request(f"key-{n}", contact_id) for n in range(5)]
    mailing.show()
    before, pages, more = END, [], True
    while more:
        found = seen(mailing, contact_id, before=before, limit=2)
        pages.append([sent.id for sent in found.messages])
        before, more = found.events[-1].id, found.more
    assert pages == [[numbers[4], numbers[3]], [numbers[2], numbers[1]], [numbers[0]], []]


def told_by_others(mailing: Mailing) -> None:
    """Another organization subscribes the contact, tags and suppresses it, and proves the address to everybody."""
    mailing.person(EMAIL, OTHERS, verified=True, tags=("theirs",))
    suppressed = contact.Suppressions(hard_bounced=True, reason="says somebody else")
    suppress = contact.SuppressContact(at=NOON, **OTHERS, suppressions=suppressed)
    withdraw = contact.WithdrawVerification(at=NOON, **OTHERS)
    prove = contact.VerifyContact(at=NOON, organization_id=2, audience_id=0, client_id=0, verified_at=NOON)
    mailing.handle(contact.decider, suppress, withdraw, prove, whose=OTHERS, key=EMAIL)


def test_a_client_sees_its_own_scope_and_what_concerns_the_contact_everywhere(mailing: Mailing) -> None:
    contact_id = mailing.person(EMAIL)
    for audience_id, client_id in ((12, 21), (11, 22), (11, 0)):
        mailing.person(EMAIL, {**SCOPE, "audience_id": audience_id, "client_id": client_id})
    told_by_others(mailing)
    mailing.show()
    found = seen(mailing, contact_id)
    everywhere = ["contact.verified", "contact.hard_bounced"]
    assert types(found) == [*everywhere, "contact.subscribed", "contact.subscribed", "contact.registered"]
    assert [event.source for event in found.events if event.type in everywhere] == [None, None]
    assert "contact.tagged" in types(seen(mailing, contact_id, OTHERS))


def test_a_client_sees_its_own_mail_of_the_audience_and_of_none(mailing: Mailing) -> None:
    contact_id = mailing.person(EMAIL)
    elsewhere = {**SCOPE, "audience_id": 12}
    mailing.mail(mailing.draft("elsewhere", elsewhere), contact_id)
    mailing.mail(mailing.draft("theirs", OTHERS), contact_id, whose=OTHERS)
    mailing.request("news", contact_id, audience_id=12, category_tag="news")
    mailing.request("reset", contact_id)
    mailing.request("theirs", contact_id, whose=OTHERS)
    mailing.show()
    here, there = seen(mailing, contact_id), seen(mailing, contact_id, elsewhere)
    assert (here.campaigns, [sent.category_tag for sent in here.messages]) == ([], [""])
    assert [recipient.campaign for recipient in there.campaigns] == ["elsewhere"]
    assert [sent.category_tag for sent in there.messages] == ["", "news"]
    assert types(there).count("message.requested") == 2


def test_an_erasure_takes_the_organizations_rows_and_leaves_what_is_nobodys(mailing: Mailing, database: str) -> None:
    contact_id = mailing.person(EMAIL, suppressions=contact.Suppressions(complained=True))
    mailing.person(EMAIL, OTHERS)
    number = mailing.draft()
    mailing.mail(number, contact_id, *SENT)
    erase = contact.EraseContact(at=NOON, organization_id=1)
    mailing.show()
    assert len(seen(mailing, contact_id).events) == 5
    mailing.handle(contact.decider, erase, key=EMAIL)
    mailing.show()
    left = ["contact.complained", "contact.registered"]
    assert types(seen(mailing, contact_id)) == left
    assert types(seen(mailing, contact_id, OTHERS)) == ["contact.subscribed", *left]
    assert_replays(mailing, database, PROJECTION)
    mailing.handle(contact.decider, contact.EraseContact(at=NOON, organization_id=2), whose=OTHERS, key=EMAIL)
    mailing.show()
    assert rows(mailing.connection, PROJECTION) == {"contact_timeline": []}
    assert_replays(mailing, database, PROJECTION)


def test_what_is_heard_of_the_mail_after_an_erasure_is_kept_as_a_number(mailing: Mailing, database: str) -> None:
    contact_id = mailing.person(EMAIL)
    number = mailing.draft()
    mailing.mail(number, contact_id, *SENT)
    mailing.handle(contact.decider, contact.EraseContact(at=NOON, organization_id=1), key=EMAIL)
    mailing.mail(number, contact_id, message.RecordOpen(at=LATER))
    mailing.show()
    [(row,)] = mailing.connection.execute("SELECT type FROM contact_timeline").fetchall()
    assert row == "message.opened"
    assert_replays(mailing, database, PROJECTION)


def assert_replays(mailing: Mailing, database: str, projection: Projection) -> None:
    assert rows(mailing.connection, projection) == replayed(database, mailing.store, projection)
