"""What a send to the members of a recipient list is answered with: a message, or what is wrong, for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.message_payload import Status, status_of
from domain import list_send
from domain.eligibility import SkipReason
from domain.list_send import Mailing
from domain.store.list_sending import Sent, counted

ACCEPTED = 202


class MemberMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A member's message; ``idempotent_replay`` when an earlier request made it."""

    source_object_key: str
    contact_id: int
    id: int
    status: Status
    skip_reason: SkipReason | None
    idempotent_replay: bool


class MemberErrors(msgspec.Struct, frozen=True):
    """Why a member got no message."""

    source_object_key: str
    errors: Mapping[str, str]


class SendCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Members, by what became of them so far."""

    total: int
    enqueued: int
    skipped: int
    replayed: int
    failed: int


class ListSent(msgspec.Struct, frozen=True, kw_only=True):
    """A message or errors for each member; members of several lists within the list are one by their key.

    A long list is sent to in the background: then ``send_id`` names the send, and messages are not listed.
    """

    recipient_list_key: str | None
    template_key: str
    idempotency_key: str
    counts: SendCounts
    messages: list[MemberMessage]
    errors: list[MemberErrors]
    send_id: int | UnsetType = UNSET


def counts_of(total: int, counts: list_send.SendCounts) -> SendCounts:
    """The counts of a send to so many members."""
    return SendCounts(total=total, **msgspec.structs.asdict(counts))


def answer(mailing: Mailing, list_key: str | None, sent: Sequence[Sent], position: int) -> Answer:
    """What became of each member."""
    body = ListSent(
        recipient_list_key=list_key,
        template_key=mailing.template_key,
        idempotency_key=mailing.key,
        counts=counts_of(len(sent), counted(sent)),
        messages=[shown(each) for each in sent if not each.errors],
        errors=[MemberErrors(each.target.source_object_key, each.errors) for each in sent if each.errors],
    )
    return json_answer(body, status=ACCEPTED, position=position)


def shown(sent: Sent) -> MemberMessage:
    """A member's message."""
    return MemberMessage(
        source_object_key=sent.target.source_object_key,
        contact_id=sent.state.contact_id or sent.target.contact_id,
        id=sent.number,
        status=status_of(sent.state),
        skip_reason=sent.state.skip_reason,
        idempotent_replay=not sent.is_new,
    )
