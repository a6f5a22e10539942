"""What a request to send is answered with: the message, and how it came to be there."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.message_payload import MessagePayload

ACCEPTED, CONFLICT = 202, 409
SUPPRESSED = "transactional_suppressed"


class Rendered(msgspec.Struct, frozen=True):
    """What the mail would say."""

    subject: str
    html_body: str
    text_body: str


class Suppressed(msgspec.Struct, frozen=True):
    """Why the message will not be sent."""

    code: str
    message: str
    reason: str | None


class SendAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The message, whether an earlier request made it, and whether this one put it in line to be sent.

    ``rendered``, ``would_deliver`` and ``delivery_decision`` (``deliver``, or the reason why not) answer a dry run,
    ``error`` comes with a 409.
    """

    message: MessagePayload
    idempotent_replay: bool
    enqueued: bool
    rendered: Rendered | UnsetType = UNSET
    would_deliver: bool | UnsetType = UNSET
    delivery_decision: str | UnsetType = UNSET
    error: Suppressed | UnsetType = UNSET


def answer(shown: MessagePayload, position: int, *, replayed: bool) -> Answer:
    """The message; a skipped one comes as a conflict with the reason."""
    skipped = shown.status == "skipped"
    error = Suppressed(SUPPRESSED, "The contact cannot be sent this message.", shown.skip_reason) if skipped else UNSET
    body = SendAnswer(message=shown, idempotent_replay=replayed, enqueued=not (replayed or skipped), error=error)
    return json_answer(body, status=CONFLICT if skipped else ACCEPTED, position=position)
