"""What SES tells of a mail is taken in once, whatever it is and whenever it comes (contract, Public routes)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import httpx
import psycopg
import pytest

from consumers.feedback import FeedbackConsumer
from domain import contact, message
from domain.mail import STREAM_TAG, stream_tag
from domain.store.waiting_feedback import WaitingFeedback
from tests.api.posted import Posted, accept, posted
from tests.api.telling import Stand, standing
from tests.consumers.running import running
from tests.store.conftest import CONTEXT, NOON
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def stand(demo_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(demo_database, tmp_path_factory.mktemp("ses")) as both:
        yield both


@pytest.fixture(params=[False, True], ids=["campaign", "transactional"])
def mail(stand: Stand, request: pytest.FixtureRequest) -> Posted:
    return posted(stand.store, transactional=request.param)


FACTS: dict[str, type] = {
    "Delivery": message.MessageDelivered,
    "Bounce": message.MessageBounced,
    "Complaint": message.MessageComplained,
    "Open": message.MessageOpened,
    "Click": message.MessageClicked,
    "Reject": message.MessageRejected,
    "DeliveryDelay": message.MessageDeliveryDelayed,
    "RenderingFailure": message.MessageRenderingFailed,
}


@pytest.mark.parametrize("version", ["1", "2"])
@pytest.mark.parametrize("kind", ["Send", *FACTS])
def test_every_event_is_recorded_and_settles_the_message(stand: Stand, kind: str, version: Any) -> None:
    mail = posted(stand.store, transactional=version == "2")
    assert stand.tell(mail, kind, signature_version=version) == 200
    sources, events = zip(*mail.events(), strict=True)
    assert set(sources) == {"ses"}
    assert [type(event) for event in events] == [message.MessageSent, *([FACTS[kind]] if kind in FACTS else [])]
    assert mail.state.ses_message_id == f"ses-{mail.stream.hex}"


def test_mail_that_ses_sent_is_found_by_its_tag(stand: Stand) -> None:
    mail = posted(stand.store)
    name, value = stream_tag(mail.stream)
    sent = stand.ses.boto3().send_email(
        FromEmailAddress="courses@example.com",
        Destination={"ToAddresses": [mail.email]},
        Content={"Simple": {"Subject": {"Data": "Hi"}, "Body": {"Text": {"Data": "Hello"}}}},
        EmailTags=[{"Name": name, "Value": value}],
    )
    assert stand.ses.event(sent["MessageId"], "Delivery", webhook_url=stand.url).status == 200
    assert mail.state.delivered_at is not None
    assert mail.state.ses_message_id == sent["MessageId"]


def test_a_changed_subscription_and_a_report_of_no_spam_say_nothing(stand: Stand, mail: Posted) -> None:
    assert stand.tell(mail, "Subscription") == 200
    assert stand.tell(mail, "Complaint", details={"complaintFeedbackType": "not-spam"}) == 200
    assert mail.events() == []
    assert mail.contact.complaints == {}


def test_a_permanent_bounce_and_a_complaint_suppress(stand: Stand, mail: Posted) -> None:
    assert stand.tell(mail, "Bounce", recipients=(f"Reader <{mail.email.upper()}>",)) == 200
    assert set(mail.contact.hard_bounces) == {mail.organization_id}
    assert stand.tell(mail, "Complaint") == 200
    assert set(mail.contact.complaints) == {mail.organization_id}


@pytest.mark.parametrize("bounce_type", ["Transient", "Undetermined"])
def test_a_bounce_that_may_pass_suppresses_nobody(stand: Stand, mail: Posted, bounce_type: str) -> None:
    assert stand.tell(mail, "Bounce", details={"bounceType": bounce_type}) == 200
    assert mail.state.bounce_type == bounce_type
    assert mail.contact.hard_bounces == {}


@pytest.mark.parametrize("kind", ["Bounce", "Complaint"])
def test_a_copy_that_bounces_suppresses_nobody(stand: Stand, mail: Posted, kind: str) -> None:
    assert stand.tell(mail, kind, recipients=("colleague@example.com", "not an address")) == 200
    assert len(mail.events()) == 2
    assert (mail.contact.hard_bounces, mail.contact.complaints) == ({}, {})


def test_older_notifications_are_read_too(stand: Stand, mail: Posted) -> None:
    assert stand.tell(mail, "Bounce", event={"eventType": None, "notificationType": "Bounce"}) == 200
    assert mail.state.bounced_at is not None
    assert mail.contact.hard_bounces


def test_one_notification_counts_once_however_many_at_once(stand: Stand, mail: Posted) -> None:
    name = str(uuid4())
    assert stand.tell(mail, "Open", sns_message_id=name, copies=40) == 200
    assert stand.tell(mail, "Open", sns_message_id=name) == 200
    assert mail.state.open_count == 1
    assert stand.tell(mail, "Open") == 200
    assert mail.state.open_count == 2


def test_a_replay_suppresses_nobody_who_was_let_in_again(stand: Stand, mail: Posted) -> None:
    name = str(uuid4())
    assert stand.tell(mail, "Bounce", sns_message_id=name, copies=5) == 200
    lift = contact.SuppressContact(
        at=NOON,
        organization_id=mail.organization_id,
        audience_id=mail.audience_id,
        client_id=mail.client_id,
        suppressions=contact.Suppressions(hard_bounced=False),
    )
    accept(mail.store, CONTEXT, contact.decider, lift, number=mail.contact_id)
    assert stand.tell(mail, "Bounce", sns_message_id=name) == 200
    assert mail.contact.hard_bounces == {}


def test_a_click_that_ses_tells_keeps_no_token(stand: Stand, mail: Posted) -> None:
    page, base = "https://example.com/page", "http://127.0.0.1:8000"
    links = [f"{base}/t/c/{mail.signer.click(mail.stream, 3, page)}", f"{base}{mail.way_out}", page, f"{base}/t/c/x"]
    for link in links:
        assert stand.tell(mail, "Click", details={"link": link}) == 200
    clicks = [event for _, event in mail.events() if isinstance(event, message.MessageClicked)]
    told = [(click.link, click.url and click.url.text) for click in clicks]
    assert told == [(3, page), (None, f"{base}/unsubscribe/"), (None, page), (None, None)]


def test_events_may_come_in_any_order_and_say_when(stand: Stand, mail: Posted) -> None:
    times = {"Open": "2026-05-24T12:03:00.000Z", "Delivery": "2026-05-24T12:01:00.000Z"}
    for kind, at in times.items():
        assert stand.tell(mail, kind, details={"timestamp": at}) == 200
    assert stand.tell(mail, "Open", details={"timestamp": "2026-05-24T14:02:00.000+02:00"}) == 200
    assert stand.tell(mail, "DeliveryDelay", details={"timestamp": "2999-01-01T00:00:00Z"}) == 200
    state = mail.state
    assert state.first_opened_at is not None
    assert state.delivered_at is not None
    assert state.first_opened_at.isoformat() == "2026-05-24T12:02:00+00:00"
    assert state.delivered_at.isoformat() == "2026-05-24T12:01:00+00:00"
    assert max(event.at.year for _, event in mail.events()) < 2999


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
    with psycopg.connect(stand.store.conninfo) as connection:
        rows = connection.execute("SELECT sealed FROM waiting_feedback").fetchall()
    assert all(b"late@example.com" not in row[0] for row in rows)
    late = posted(stand.store, transactional=True, email="late@example.com")
    assert late.stream == early.stream
    with running(FeedbackConsumer(stand.store).session):
        wait_until(lambda: waiting.count() == before, "the event to be matched")
    assert late.state.bounce_type == "Permanent"
    assert late.contact.hard_bounces
    assert stand.tell(late, "Bounce", sns_message_id="early") == 200
    assert len(late.events()) == 2


def test_events_of_mail_that_is_not_ours_are_kept_and_given_up(stand: Stand) -> None:
    waiting = WaitingFeedback(stand.store)
    before = waiting.count()
    mail = posted(stand.store)
    for tags in ({}, {STREAM_TAG: ["x"]}, {STREAM_TAG: [str(UUID(int=4 << 96 | 1))]}):
        assert stand.tell(mail, "Delivery", event={"mail": {"tags": tags or None}}) == 200
    assert waiting.count() == (before[0] + 3, before[1])
    with psycopg.connect(stand.store.conninfo) as connection:
        connection.execute("UPDATE waiting_feedback SET received_at = now() - interval '5 days'")
    waiting.expire()
    assert waiting.count() == (0, sum(before) + 3)
    with psycopg.connect(stand.store.conninfo) as connection:
        connection.execute("UPDATE waiting_feedback SET received_at = now() - interval '31 days'")
    waiting.expire()
    assert waiting.count() == (0, 0)


def test_many_events_of_many_messages_at_once(stand: Stand) -> None:
    mails = [posted(stand.store, transactional=number % 2 == 1) for number in range(20)]
    envelopes = [
        stand.sealed(
            {
                "eventType": "Delivery",
                "mail": {
                    "timestamp": "2026-05-24T12:00:00Z",
                    "messageId": mail.stream.hex,
                    "tags": {STREAM_TAG: [str(mail.stream)]},
                },
            }
        )
        for mail in mails
    ]

    async def post_all() -> set[int]:
        async with httpx.AsyncClient(timeout=30) as client:
            answers = await asyncio.gather(*(client.post(stand.url, json=each) for each in envelopes * 3))
        return {answer.status_code for answer in answers}

    assert asyncio.run(post_all()) == {200}
    assert [len(mail.events()) for mail in mails] == [2] * 20
