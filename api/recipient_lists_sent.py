"""What a send to the members of a recipient list is answered with: a message, or what is wrong, for each."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from api.message_payload import Status
from domain.eligibility import SkipReason


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
    """Members, by what became of them in this request."""

    total: int
    enqueued: int
    skipped: int
    replayed: int
    failed: int


class ListSent(msgspec.Struct, frozen=True, kw_only=True):
    """A message or errors for each member; members of several lists within the list are one by their key."""

    recipient_list_key: str | None
    template_key: str
    idempotency_key: str
    counts: SendCounts
    messages: list[MemberMessage]
    errors: list[MemberErrors]
