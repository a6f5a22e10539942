"""One transactional message: where it stands and what happened to it, from the log itself and so never stale."""

from __future__ import annotations

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.errors import not_found
from api.message_payload import MessageDetail, MessageEvent, detail, followed, told


class MessageAnswer(msgspec.Struct, frozen=True):
    """The message, and its events from the first one on."""

    message: MessageDetail
    events: list[MessageEvent]


async def show(call: Call) -> Answer:
    """Where a message stands, and every event of it."""
    found = await followed(call, call.number("id"))
    if found is None:
        raise not_found("id")
    return json_answer(MessageAnswer(detail(found), told(found.events)), position=found.position)
