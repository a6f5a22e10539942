"""What SES tells of a mail is taken in once, whatever it is and whenever it comes (contract, Public routes)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from msgspec.structs import replace

from domain import campaign, contact, message
from domain.mail import STREAM_TAG, stream_tag
from domain.store.order import Context
from tests.api.posted import Posted, accept, posted
from tests.api.telling import Stand, standing
from tests.store.conftest import CONTEXT, NOON


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


COPIES = {
    "Delivery": message.MessageCopyDelivered,
    "Bounce": message.MessageCopyBounced,
    "Complaint": message.MessageCopyComplained,
}


@pytest.mark.parametrize("kind", COPIES)
def test_what_becomes_of_a_copy_leaves_the_message_as_it_is(stand: Stand, mail: Posted, kind: str) -> None:
    assert stand.tell(mail, "Delivery") == 200
    before = mail.state
    assert stand.tell(mail, kind, recipients=("colleague@example.com", "not an address")) == 200
    assert replace(mail.state, seen=before.seen) == before
    assert [type(event) for _, event in mail.events()][2:] == [COPIES[kind]]
    assert (mail.contact.hard_bounces, mail.contact.complaints) == ({}, {})


def test_the_recipient_and_a_copy_each_have_their_own_fate(stand: Stand, mail: Posted) -> None:
    assert stand.tell(mail, "Delivery", recipients=("colleague@example.com",)) == 200
    assert mail.state.delivered_at is None
    assert stand.tell(mail, "Bounce", recipients=("colleague@example.com", mail.email)) == 200
    facts = [message.MessageSent, message.MessageCopyDelivered, message.MessageBounced, message.MessageCopyBounced]
    assert [type(event) for _, event in mail.events()] == facts
    assert set(mail.contact.hard_bounces) == {mail.organization_id}


def test_a_copy_that_bounces_for_good_suppresses_the_contact_of_that_address(stand: Stand, mail: Posted) -> None:
    """Whoever writes to the address, it bounces."""
    copied = posted(stand.store)
    for bounce_type, held in (("Transient", set()), ("Permanent", {mail.organization_id})):
        said = {"recipients": (copied.email,), "details": {"bounceType": bounce_type}}
        assert stand.tell(mail, "Bounce", **said) == 200
        assert set(copied.contact.hard_bounces) == held
    assert mail.state.bounced_at is None
    assert mail.contact.hard_bounces == {}
    assert copied.events() == []


def test_the_contact_of_another_organization_is_suppressed_without_telling_the_client(
    stand: Stand, mail: Posted
) -> None:
    context = Context(organization_id=mail.organization_id + 1)
    register = contact.RegisterContact(at=NOON, organization_id=mail.organization_id + 1, email="theirs@example.com")
    number = accept(stand.store, context, contact.decider, register, key=register.email)
    assert stand.tell(mail, "Bounce", recipients=(register.email,)) == 200
    event = stand.store.read(0, 1_000_000)[-3]
    assert (event.topic, event.contact_id) == ("contact.hard_bounced@1", number)
    assert (event.organization_id, event.client_id) == (mail.organization_id, 0)
    erase = contact.EraseContact(at=NOON, organization_id=mail.organization_id + 1)
    accept(stand.store, context, contact.decider, erase, number=number)


def test_a_complaint_of_one_of_several_suppresses_none_but_the_recipient(stand: Stand, mail: Posted) -> None:
    """SES names all who may have complained."""
    copied = posted(stand.store)
    assert stand.tell(mail, "Complaint", recipients=(copied.email, "colleague@example.com")) == 200
    assert copied.contact.complaints == {}
    assert stand.tell(mail, "Complaint", recipients=(copied.email, mail.email)) == 200
    assert (set(mail.contact.complaints), copied.contact.complaints) == ({mail.organization_id}, {})
    assert stand.tell(mail, "Complaint", recipients=(copied.email,)) == 200
    assert set(copied.contact.complaints) == {mail.organization_id}


def test_what_comes_after_the_recipient_s_erasure_is_the_message_s(stand: Stand, mail: Posted) -> None:
    erase = contact.EraseContact(at=NOON, organization_id=mail.organization_id)
    accept(stand.store, CONTEXT, contact.decider, erase, number=mail.contact_id)
    again = posted(stand.store, email=mail.email)
    assert again.contact_id != mail.contact_id
    assert stand.tell(mail, "Bounce") == 200
    assert mail.state.bounce_type == "Permanent"
    assert mail.contact == contact.Contact()
    assert set(again.contact.hard_bounces) == {mail.organization_id}, "the address bounces whoever has it now"


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


def test_a_click_that_tells_the_page_alone_counts_for_that_link_of_the_campaign(stand: Stand) -> None:
    mail = posted(stand.store)
    campaign_id, _ = message.campaign_and_contact(mail.stream)
    pages = ("https://example.com/1", "https://example.com/2")
    context = Context(organization_id=mail.organization_id, client_id=mail.client_id)
    [there] = stand.store.load(campaign.decider, numbers=[campaign_id])
    revise = campaign.SaveCampaign(
        at=NOON,
        organization_id=mail.organization_id,
        client_id=mail.client_id,
        audience_id=mail.audience_id,
        external_key=there.state.external_key,
        content=campaign.CampaignContent(subject="Hi", text_body=" ".join(pages)),
    )
    accept(stand.store, context, campaign.decider, revise, number=campaign_id)
    queue = campaign.QueueCampaign(at=NOON, sender_id="a", sender="a@example.com")
    accept(stand.store, context, campaign.decider, queue, number=campaign_id)
    for page in (pages[1], "https://example.com/3"):
        assert stand.tell(mail, "Click", details={"link": page}) == 200
    clicks = [event for _, event in mail.events() if isinstance(event, message.MessageClicked)]
    assert [click.link for click in clicks] == [1, None]


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
