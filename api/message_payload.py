"""What a client sees of a transactional message: the payload, from its log stream, and the events of its life."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from api.call import Call
from api.commands import load
from domain import contact, message
from domain.addressee import address
from domain.decider import EVENT_TYPES
from domain.eligibility import SkipReason
from domain.message import Message
from domain.message.content import MessageContent, MessageRequest, content_of, request_of
from domain.message.events import MessageRequested
from domain.store.cloud_event import open_text
from domain.store.history import Opened, read_stream

Status = Literal["queued", "sending", "unconfirmed", "sent", "bounced", "complained", "failed", "skipped"]
NOTHING: Final = MessageContent(subject="")
NOT_ASKED: Final = MessageRequest()
UNTOLD: Final = ("at", "content", "request", "organization_id", "client_id", "event_id")
"""Fields of events that an event in the answer leaves out: the message has them, or they are the service's own."""


class MessagePayload(msgspec.Struct, frozen=True, kw_only=True):
    """A message; ``id`` is null in a dry run, ``email`` once the person was erased."""

    id: int | None
    email: str | None
    from_email: str
    from_email_address: str
    reply_to: str
    cc: tuple[str, ...]
    bcc: tuple[str, ...]
    status: Status
    skip_reason: SkipReason | None
    template_key: str
    idempotency_key: str
    created_at: datetime | None


class MessageDetail(MessagePayload, frozen=True, kw_only=True):
    """A message with what was heard of it since; times are the first of their kind, ``last_error`` is a code."""

    subject: str
    category_tag: str
    metadata: dict[str, Any]
    campaign_id: int | None
    ses_message_id: str
    sent_at: datetime | None
    delivered_at: datetime | None
    first_opened_at: datetime | None
    first_clicked_at: datetime | None
    open_count: int
    click_count: int
    last_error: str


class MessageEvent(msgspec.Struct, frozen=True):
    """Something that happened to the message; ``id`` is its log position."""

    id: int
    type: str
    created_at: datetime
    data: dict[str, Any] | UnsetType = UNSET


class Followed(NamedTuple):
    """A message with its whole life, and the log position that it reflects."""

    number: int
    state: Message
    requested: MessageRequested
    email: str | None
    events: list[Opened]
    position: int


async def followed(call: Call, number: int) -> Followed | None:
    """The client's message of that number, read from the log; None when it has none."""
    stream = await asyncio.to_thread(read_stream, call.wiring.store, message.transactional.kind, number)
    state = Message()
    for _, event in stream.events:
        state = message.evolve(state, event)
    requested = state.requested
    if requested is None or requested.client_id != call.caller.number:
        return None
    person = await load(call, contact.decider, number=state.contact_id)
    email = address(person.state, requested.organization_id)
    return Followed(number, state, requested, email, stream.events, stream.head)


def status_of(state: Message) -> Status:
    """What is shown of a message: one that came back, or was reported as spam, is not just ``sent``."""
    if state.complained_at is not None:
        return "complained"
    if state.bounced_at is not None:
        return "bounced"
    return state.status or "queued"


def payload(number: int | None, state: Message, requested: MessageRequested, email: str | None) -> MessagePayload:
    """A message as the answer to its request shows it."""
    content = content_of(requested.content) or NOTHING
    request = request_of(requested.request) or NOT_ASKED
    return MessagePayload(
        id=number,
        email=email,
        from_email=requested.sender_id,
        from_email_address=requested.sender,
        reply_to=content.reply_to,
        cc=content.cc,
        bcc=content.bcc,
        status=status_of(state),
        skip_reason=state.skip_reason,
        template_key=requested.template_key,
        idempotency_key=request.idempotency_key,
        created_at=state.requested_at,
    )


def detail(found: Followed) -> MessageDetail:
    """A message with all that is known of it."""
    state, requested = found.state, found.requested
    shown = payload(found.number, state, requested, found.email)
    request = request_of(requested.request) or NOT_ASKED
    return MessageDetail(
        **msgspec.structs.asdict(shown),
        subject=(content_of(requested.content) or NOTHING).subject,
        category_tag=requested.category_tag,
        metadata=request.metadata,
        campaign_id=requested.campaign_id or None,
        ses_message_id=state.ses_message_id,
        sent_at=state.sent_at,
        delivered_at=state.delivered_at,
        first_opened_at=state.first_opened_at,
        first_clicked_at=state.first_clicked_at,
        open_count=state.open_count,
        click_count=state.click_count,
        last_error=state.last_error,
    )


def told(events: Iterable[Opened]) -> list[MessageEvent]:
    """The events of a message for its client, oldest first, without what the message says."""
    shown = []
    for recorded, event in events:
        data = msgspec.to_builtins(event, enc_hook=open_text)
        kept = {name: value for name, value in data.items() if name not in UNTOLD}
        shown.append(MessageEvent(recorded.position, EVENT_TYPES[type(event)].name, event.at, kept or UNSET))
    return shown
