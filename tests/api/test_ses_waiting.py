"""What SES tells before the log knows the mail: kept, matched by tag or SES's name of the mail, given up after days."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import psycopg
import pytest
from msgspec.structs import replace

from consumers.feedback import FeedbackConsumer
from domain.mail import STREAM_TAG
from domain.mail_event import MailEvent
from domain.store.waiting_feedback import WaitingFeedback
from tests.api.posted import Posted, posted
from tests.api.telling import Stand, standing
from tests.consumers.running import running
from tests.store.conftest import NOON
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def stand(demo_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(demo_database, tmp_path_factory.mktemp("ses")) as both:
        yield both


@pytest.fixture(params=[False, True], ids=["campaign", "transactional"])
def mail(stand: Stand, request: pytest.FixtureRequest) -> Posted:
    return posted(stand.store, transactional=request.param)


def unsent(stand: Stand) -> Posted:
    """A transactional message that will be requested next."""
    known = posted(stand.store, transactional=True)
    return known._replace(stream=UUID(int=known.stream.int + 1))


def test_an_event_before_its_message_waits_for_it(stand: Stand) -> None:
    early = unsent(stand)
    waiting = WaitingFeedback(stand.store)
    before = waiting.count()
    assert stand.tell(early, "Bounce", recipients=("late@example.com",), sns_message_id="early", copies=3) == 200
    assert waiting.count() == (before[0] + 1, before[1])
    late = posted(stand.store, transactional=True, email="late@example.com")
    assert late.stream == early.stream
    matched(stand, before)
    assert late.state.bounce_type == "Permanent"
    assert late.contact.hard_bounces
    assert stand.tell(late, "Bounce", sns_message_id="early") == 200
    assert len(late.events()) == 2


def matched(stand: Stand, before: tuple[int, int]) -> None:
    """The consumer runs until no more waits than before."""
    waiting = WaitingFeedback(stand.store)
    with running(FeedbackConsumer(stand.store).session):
        wait_until(lambda: waiting.count() == before, "the event to be matched")


UNTAGGED = {"mail": {"tags": None}}
GIVEN_UP = "SELECT event_id, kind, ses_message_id FROM waiting_feedback WHERE given_up_at IS NOT NULL"


def test_without_our_tag_the_message_is_found_by_ses_s_name_of_the_mail(stand: Stand, mail: Posted) -> None:
    waiting = WaitingFeedback(stand.store)
    before = waiting.count()
    for kind in ("Delivery", "Bounce"):
        assert stand.tell(mail, kind, event=UNTAGGED, sns_message_id=f"{kind}-{mail.stream}") == 200
    assert waiting.count() == (before[0] + 2, before[1])
    assert stand.tell(mail, "Send") == 200
    assert stand.tell(mail, "Open", event=UNTAGGED) == 200
    assert (mail.state.open_count, mail.state.delivered_at) == (1, None)
    matched(stand, before)
    assert (mail.state.bounce_type, mail.state.delivered_at is None) == ("Permanent", False)
    assert set(mail.contact.hard_bounces) == {mail.organization_id}
    assert stand.tell(mail, "Bounce", event=UNTAGGED, sns_message_id=f"Bounce-{mail.stream}") == 200
    assert len(mail.events()) == len(("sent", "opened", "delivered", "bounced"))


def test_a_copy_that_bounced_early_is_told_from_the_recipient(stand: Stand) -> None:
    early = unsent(stand)
    before = WaitingFeedback(stand.store).count()
    copied = posted(stand.store)
    assert stand.tell(early, "Bounce", recipients=(copied.email,)) == 200
    late = posted(stand.store, transactional=True)
    assert late.stream == early.stream
    matched(stand, before)
    assert late.state.bounced_at is None
    assert (late.contact.hard_bounces, set(copied.contact.hard_bounces)) == ({}, {late.organization_id})


def test_what_waits_holds_nothing_personal_even_for_those_with_the_key(stand: Stand) -> None:
    early = unsent(stand)
    page = "https://example.com/okapi"
    assert stand.tell(early, "Bounce", recipients=("okapi@example.com",), sns_message_id="waits") == 200
    assert stand.tell(early, "Click", details={"link": page}, sns_message_id="waits too") == 200
    names = [stand.store.keyring.digest("ses event", name) for name in ("waits", "waits too")]
    with psycopg.connect(stand.store.conninfo) as connection:
        rows = connection.execute("SELECT * FROM waiting_feedback WHERE event_id = ANY(%s)", (names,)).fetchall()
        connection.execute("DELETE FROM waiting_feedback WHERE event_id = ANY(%s)", (names,))
    assert len(rows) == 2
    for row in rows:
        clear = [stand.store.keyring.unseal(value) if isinstance(value, bytes) else value for value in row]
        assert "okapi" not in str(clear)


def test_events_of_mail_that_is_not_ours_are_kept_and_given_up(stand: Stand) -> None:
    waiting = WaitingFeedback(stand.store)
    before = waiting.count()
    mail = posted(stand.store)
    for tags in ({}, {STREAM_TAG: ["x"]}, {STREAM_TAG: [str(UUID(int=4 << 96 | 1))]}):
        assert stand.tell(mail, "Delivery", event={"mail": {"tags": tags or None}}) == 200
    assert waiting.count() == (before[0] + 3, before[1])
    came(stand, "5 days")
    waiting.expire()
    assert waiting.count() == (0, sum(before) + 3)
    with psycopg.connect(stand.store.conninfo) as connection:
        given_up = connection.execute(GIVEN_UP).fetchall()
    assert {(kind, ses_message_id) for _, kind, ses_message_id in given_up} == {("Delivery", f"ses-{mail.stream.hex}")}
    again, gone = given_up[0][0], given_up[1][0]
    assert (waiting.retry([again]), waiting.retry([again]), waiting.drop([again, gone])) == (1, 0, 1)
    assert waiting.count() == (1, len(given_up) - 2)
    waiting.expire()
    assert waiting.count() == (1, len(given_up) - 2), "what is tried again has its days anew"
    came(stand, "31 days")
    waiting.expire()
    assert waiting.count() == (0, 0)


def came(stand: Stand, ago: str) -> None:
    """All that waits came so long ago."""
    with psycopg.connect(stand.store.conninfo) as connection:
        connection.execute("UPDATE waiting_feedback SET received_at = now() - %s::interval", (ago,))


def test_events_that_fail_do_not_stand_before_others(stand: Stand) -> None:
    """What cannot be read, and what has no message, is looked at less and less."""
    waiting, consumer = WaitingFeedback(stand.store), FeedbackConsumer(stand.store)
    early = unsent(stand)
    broken = posted(stand.store)
    for number in range(500):
        told = MailEvent(kind="Open", at=NOON, event_id=f"broken-{number}", stream=broken.stream)
        waiting.keep([told, replace(told, event_id=f"nobody-{number}", stream=UUID(int=6 << 96 | 1 << 60))])
    with psycopg.connect(stand.store.conninfo) as connection:
        connection.execute("UPDATE waiting_feedback SET sealed = 'not so long' WHERE stream = %s", (broken.stream,))
    assert stand.tell(early, "Open") == 200
    late = posted(stand.store, transactional=True)
    assert late.stream == early.stream
    while consumer.take():
        pass
    assert late.state.open_count == 1
    with psycopg.connect(stand.store.conninfo) as connection:
        errors = "SELECT error, count(*), bool_and(look_at > now()) FROM waiting_feedback GROUP BY 1 ORDER BY 1"
        assert connection.execute(errors).fetchall() == [("", 500, True), ("InvalidTag", 500, True)]
        connection.execute("DELETE FROM waiting_feedback")
