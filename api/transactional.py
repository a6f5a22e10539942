"""Sending transactional mail: one message to one person from a template, at most once for an idempotency key."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load
from api.errors import Invalid
from api.fields import Email, Name, said
from api.message_payload import followed, payload
from api.message_requests import is_keyed, key_of, registered, requested
from api.refusals import noted
from api.scalars import Errors
from api.scope import check_scope
from api.senders import Trimmed
from api.transactional_answer import ACCEPTED, Rendered, SendAnswer, answer
from domain import client, contact, message, template
from domain.addressee import check_recipient, skip_reason
from domain.client import Client
from domain.contact import Contact, tag_named
from domain.decider import Rejected
from domain.eligibility import SkipReason
from domain.email_address import normalize
from domain.mail import Header, Part
from domain.message.content import MessageContent, MessageRequest, compose, encode
from domain.message.wishes import PARTS_LIMIT, Wishes, check_wishes
from domain.sender import Sender, choose
from domain.template import Template, TemplateContent

KEY_LIMIT = 255
NOBODY = "nobody@example.com"
"""Stands in for an address that could not be read, while all else is checked."""


class MessagePart(msgspec.Struct, kw_only=True):
    """A further text of the mail, such as ``text/calendar``; with ``filename`` an attachment."""

    content_type: str
    content: str
    filename: str = ""


class SendTransactional(msgspec.Struct, kw_only=True):
    """A message to one address. ``from_email`` is the id of a sender, else the template's or the client's default.

    ``category_tag`` asks the person's choice on that category, in the scope of ``audience`` and ``client``.
    """

    email: Email
    template_key: Trimmed
    context: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    idempotency_key: Annotated[str, Meta(max_length=KEY_LIMIT)] = ""
    from_email: Trimmed = ""
    reply_to: str = ""
    cc: list[Name] | UnsetType = UNSET
    bcc: list[Name] | UnsetType = UNSET
    headers: dict[str, str] | UnsetType = UNSET
    message_parts: Annotated[list[MessagePart], Meta(max_length=PARTS_LIMIT)] | UnsetType = UNSET
    category_tag: Trimmed = ""
    audience: Trimmed | UnsetType = UNSET
    client: Trimmed | UnsetType = UNSET
    dry_run: bool = False

    async def check(self, call: Call) -> None:
        """Ask all rules, of whichever fields there are. Raises Invalid with every wrong field."""
        errors: Errors = {}
        audience_id = scope(call, self, errors)
        addressed = self if self.email else msgspec.structs.replace(self, email=NOBODY)
        await prepare(call, addressed, audience_id, errors)


class Prepared(NamedTuple):
    """A request in which nothing is wrong: what will be said, from whom and to whom, as of a log position."""

    email: str
    sender: Sender
    template: Template
    content: MessageContent
    request: MessageRequest
    audience_id: int
    category: str
    person: Contact
    position: int


async def send(call: Call, given: SendTransactional) -> Answer:
    """Request a transactional message; a repeat of its key answers the message that is there."""
    errors: Errors = {}
    audience_id = scope(call, given, errors)
    key = key_of(call, given.idempotency_key)
    if not given.dry_run and not errors and is_keyed(call, given.idempotency_key):
        known = await load(call, message.transactional, key=message.key_of(call.caller.number, key))
        if known.version:
            return await replay(call, known.number)
    prepared = await prepare(call, given, audience_id, errors)
    if given.dry_run:
        return dry_run(call, prepared)
    person = await registered(call, prepared.email)
    answer_goes_with(call, person.number)
    command = command_of(call, prepared, person.number, person.state)
    made = await requested(call, key, command)
    if not made.events:
        return await replay(call, made.number)
    shown = payload(made.number, made.state, made.state.requested, prepared.email)
    return answer(shown, made.position, replayed=False)


def scope(call: Call, given: SendTransactional, errors: Errors) -> int:
    """The number of the audience in whose scope the category is, 0 for none. What is wrong is noted."""
    named = {"audience": said(given.audience) or None, "client": said(given.client) or None}
    if given.category_tag:
        errors.update({field: "required" for field, slug in named.items() if slug is None})
        with noted(errors):
            tag_named(given.category_tag, "category_tag")
    found = check_scope(named, call.caller, call.wiring.directory.now, errors)
    return found.number if found and given.category_tag else 0


async def prepare(call: Call, given: SendTransactional, audience_id: int, errors: Errors) -> Prepared:
    """Look up, choose, render and check. Raises Invalid with every wrong field."""
    email = normalize(given.email)
    owner, found, person = await asyncio.gather(
        load(call, client.decider, number=call.caller.number),
        load(call, template.decider, key=template.natural_key(call.caller.number, given.template_key)),
        load(call, contact.decider, key=email),
    )
    said_by_template = usable(found.state, errors)
    with noted(errors):
        check_recipient(email)
    sender = sender_of(owner.state, said_by_template, given.from_email, errors)
    content = await composed(given, said_by_template, errors)
    if errors:
        raise Invalid(errors)
    request = MessageRequest(
        idempotency_key=given.idempotency_key, context=said(given.context) or {}, metadata=said(given.metadata) or {}
    )
    category = tag_named(given.category_tag).slug if given.category_tag else ""
    return Prepared(email, sender, found.state, content, request, audience_id, category, person.state, person.position)


async def composed(
    given: SendTransactional, said_by_template: TemplateContent | None, errors: Errors
) -> MessageContent:
    """What the mail says, rendered in a thread: it may take a while. What is wrong is noted."""
    wishes = wishes_of(given)
    if said_by_template is None:
        errors.update(check_wishes(wishes))
    else:
        with noted(errors):
            return await asyncio.to_thread(compose, said_by_template, said(given.context) or {}, wishes)
    return MessageContent(subject="")


def usable(found: Template, errors: Errors) -> TemplateContent | None:
    """What the template says; noted when there is none, or it is switched off."""
    if found.content is None or not found.content.is_active:
        errors["template_key"] = "not_found" if found.content is None else "invalid"
        return None
    return found.content


def sender_of(owner: Client, content: TemplateContent | None, from_email: str, errors: Errors) -> Sender:
    """The sender that the request, else the template, else the client names. What is wrong is noted."""
    default = content.default_sender_id if content else ""
    try:
        return choose(owner.senders, from_email, default, owner.default_sender_id)
    except Rejected as refusal:
        errors.update(refusal.fields)
        return Sender("", "")


def wishes_of(given: SendTransactional) -> Wishes:
    """What the request adds to its template, in the domain's words."""
    parts = said(given.message_parts) or ()
    return Wishes(
        reply_to=given.reply_to.strip(),
        cc=tuple(said(given.cc) or ()),
        bcc=tuple(said(given.bcc) or ()),
        headers=tuple(Header(name, value) for name, value in (said(given.headers) or {}).items()),
        parts=tuple(Part(part.content_type, part.content, part.filename) for part in parts),
    )


def command_of(call: Call, prepared: Prepared, contact_id: int, person: Contact) -> message.RequestMessage:
    """The request of the message, or of one that is skipped."""
    said_by_template = prepared.template.content
    return message.RequestMessage(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        contact_id=contact_id,
        template_key=prepared.template.key,
        template_version=prepared.template.version,
        sender_id=prepared.sender.id,
        sender=prepared.sender.email,
        content=encode(prepared.content),
        request=encode(prepared.request),
        audience_id=prepared.audience_id,
        category_tag=prepared.category,
        retry_unconfirmed=said_by_template is not None and said_by_template.retry_unconfirmed,
        skip_reason=skip_reason(person, prepared.audience_id, call.caller.number, prepared.category),
    )


async def replay(call: Call, number: int) -> Answer:
    """Answer with the message that was there."""
    found = await followed(call, number)
    if found is None:
        raise Invalid({"idempotency_key": "invalid"})
    answer_goes_with(call, found.state.contact_id)
    shown = payload(found.number, found.state, found.requested, found.email)
    return answer(shown, found.position, replayed=True)


def answer_goes_with(call: Call, contact_id: int) -> None:
    """Have the answer forgotten with the person, if it is remembered at all."""
    if call.ticket:
        call.ticket.about(contact_id)


def dry_run(call: Call, prepared: Prepared) -> Answer:
    """What would be said and decided; nothing is stored."""
    command = command_of(call, prepared, 0, prepared.person)
    reason: SkipReason | None = command.skip_reason
    state = message.Message()
    for event in message.decide(state, command):
        state = message.evolve(state, event)
    if state.requested is None:
        raise TypeError(command)
    shown = payload(None, msgspec.structs.replace(state, requested_at=None), state.requested, prepared.email)
    body = SendAnswer(
        message=shown,
        idempotent_replay=False,
        enqueued=False,
        rendered=Rendered(prepared.content.subject, prepared.content.html, prepared.content.text),
        would_deliver=reason is None,
        delivery_decision=reason or "deliver",
    )
    return json_answer(body, status=ACCEPTED, position=prepared.position)
