"""Trying a campaign out before anybody gets it: a look at the mail, and real mails to a few addresses."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns import Found, found, sender_of
from api.campaigns_payload import CampaignPayload, counted, payload
from api.commands import load
from api.errors import Invalid
from api.fields import Email
from api.message_payload import MessagePayload, followed
from api.message_payload import payload as message_payload
from api.message_requests import key_of, registered, requested
from api.readers import decode_json, read_object
from api.refusals import noted
from api.scalars import Errors
from domain import contact, message
from domain.addressee import check_recipient, skip_reason
from domain.campaign.mail import sample
from domain.eligibility import SkipReason, campaign_skip_reason, is_intended
from domain.email_address import normalize
from domain.mail import one_click
from domain.message.content import MessageContent, MessageRequest, encode
from domain.sender import Sender

ACCEPTED = 202
MOST_ADDRESSES = 25
KEY_LIMIT = 200
NO_WAY_OUT = "test"
"""Stands where the token of the way out will: a test must not unsubscribe anybody."""


class PreviewCampaign(msgspec.Struct, kw_only=True):
    """Whether the campaign would reach an address is told besides when one is given."""

    email: Email | UnsetType = UNSET


class Recipient(msgspec.Struct, frozen=True):
    """An address as the campaign sees it now: whether it is meant, and why it would be skipped."""

    email: str
    contact_id: int | None
    intended: bool
    skip_reason: SkipReason | None


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """The mail as it will look, with its links as they were given."""

    campaign: CampaignPayload
    from_email: str
    from_email_address: str
    subject: str
    preview_text: str
    html_body: str
    text_body: str
    recipient: Recipient | None


class TestSend(msgspec.Struct, kw_only=True):
    """Where to send the campaign for a look. With ``idempotency_key``, an address gets one mail for it only."""

    emails: Annotated[list[Email], Meta(min_length=1, max_length=MOST_ADDRESSES)]
    idempotency_key: Annotated[str, Meta(max_length=KEY_LIMIT)] = ""


class TestSent(msgspec.Struct, frozen=True):
    """The messages, one for each address; one to a suppressed contact is skipped."""

    campaign: CampaignPayload
    messages: list[MessagePayload]


async def preview(call: Call) -> Answer:
    """Show the mail as a recipient will see it; a body is not needed."""
    given = await asked(call)
    there = await found(call)
    errors: Errors = {}
    with noted(errors):
        sender = await mail_from(call, there)
    if errors:
        raise Invalid(errors)
    html, text = await halves(call, there)
    shown = Preview(
        campaign=payload(call, there.number, there.state, await counted(call, there.number)),
        from_email=sender.id,
        from_email_address=sender.email,
        subject=there.content.subject,
        preview_text=there.content.preview_text,
        html_body=html,
        text_body=text,
        recipient=None if given.email is UNSET else await recipient(call, there, normalize(given.email)),
    )
    return json_answer(shown, position=there.position)


async def asked(call: Call) -> PreviewCampaign:
    """What the body says; nothing when there is none. Raises Invalid and ApiError 413 and 415."""
    body = await call.read()
    if not body:
        return PreviewCampaign()
    call.expect_json()
    errors: Errors = {}
    given = read_object(PreviewCampaign, decode_json(body), errors)
    if given is None:
        raise Invalid(errors)
    return given


async def mail_from(call: Call, there: Found) -> Sender:
    """Whom the mail is, or will be, from. Raises Rejected on ``from_email``."""
    if there.state.sender:
        return Sender(there.state.sender_id, there.state.sender)
    return await sender_of(call, there.content)


async def halves(call: Call, there: Found) -> tuple[str, str]:
    """HTML and text as a recipient sees them; made in a thread, for a body can be large."""
    audiences = call.wiring.directory.now.audiences.values()
    name = next((each.name for each in audiences if each.number == there.state.audience_id), "")
    return await asyncio.to_thread(sample, there.content, audience_name=name, out=way_out(call))


async def recipient(call: Call, there: Found, email: str) -> Recipient:
    """What the campaign would do about an address now."""
    loaded = await load(call, contact.decider, key=email)
    person, content, audience_id = loaded.state, there.content, there.state.audience_id
    tags = person.tags.get(audience_id, frozenset())
    here = any(audience == audience_id for audience, _ in person.subscriptions)
    meant = here and is_intended(tags, content.include_tags, content.exclude_tags)
    reason = campaign_skip_reason(person, audience_id, call.caller.number, content.category_tag) if meant else None
    return Recipient(email, loaded.number if here else None, meant, reason)


async def test_send(call: Call, given: TestSend) -> Answer:
    """Send the campaign's mail to some addresses, whatever they are subscribed to; its counters stay as they are."""
    there = await found(call)
    sender = await checked(call, there, given)
    content = encode(await test_content(call, there))
    key = key_of(call, given.idempotency_key)
    emails = dict.fromkeys(map(normalize, given.emails))
    sent = await asyncio.gather(*(trial(call, there, sender, content, email, key) for email in emails))
    shown = payload(call, there.number, there.state, await counted(call, there.number))
    messages = [each for each, _ in sent]
    return json_answer(TestSent(shown, messages), status=ACCEPTED, position=max(position for _, position in sent))


async def checked(call: Call, there: Found, given: TestSend) -> Sender:
    """The sender of a test. Raises Invalid with every address that cannot be written to, and what is wrong with it."""
    errors: Errors = {}
    sender = Sender("", "")
    for place, email in enumerate(given.emails):
        with noted(errors, at=f"emails.{place}"):
            check_recipient(normalize(email))
    with noted(errors):
        sender = await mail_from(call, there)
    if errors:
        raise Invalid(errors)
    return sender


async def test_content(call: Call, there: Found) -> MessageContent:
    """What a test says: the campaign's mail, with headers as it will have them."""
    html, text = await halves(call, there)
    return MessageContent(subject=there.content.subject, html=html, text=text, headers=one_click(way_out(call)))


def way_out(call: Call) -> str:
    """Where the way out of a mail leads that is none."""
    return f"{call.wiring.settings.public_url}/unsubscribe/{NO_WAY_OUT}"


async def trial(
    call: Call, there: Found, sender: Sender, content: str, email: str, key: str
) -> tuple[MessagePayload, int]:
    """One message of a test, and the log position that has it."""
    person = await registered(call, email)
    command = message.RequestMessage(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        contact_id=person.number,
        template_key="",
        template_version=0,
        sender_id=sender.id,
        sender=sender.email,
        content=content,
        request=encode(MessageRequest()),
        campaign_id=there.number,
        skip_reason=skip_reason(person.state, 0, 0, ""),
    )
    made = await requested(call, f"campaign-test:{there.number}:{key}:{email}", command)
    if made.events:
        return message_payload(made.number, made.state, made.state.requested, email), made.position
    return await sent_before(call, made.number)


async def sent_before(call: Call, number: int) -> tuple[MessagePayload, int]:
    """The message that an earlier test with the same key made."""
    there = await followed(call, number)
    if there is None:
        raise Invalid({"idempotency_key": "invalid"})
    return message_payload(there.number, there.state, there.requested, there.email), there.position
