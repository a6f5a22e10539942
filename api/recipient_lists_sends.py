"""Sends to long recipient lists: accepted at once, carried out in the background, followed until their end."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final
from urllib.parse import quote

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.errors import not_found
from api.recipient_lists import found
from api.recipient_lists_sent import ACCEPTED, ListSent, MemberErrors, SendCounts, counts_of
from domain import list_send
from domain.list_send import ListSend, Mailing, RequestListSend, Status
from domain.store.list_sending import opened, sealed
from domain.store.order import Accepted
from projections.recipient_members import extent

NAMES: Final = "SELECT recipient_id, source_object_key FROM recipients WHERE recipient_id = ANY(%s)"


class ListSendPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A send. ``errors`` are the first 1,000 members without a message; an erased one is not named."""

    id: int
    recipient_list_key: str
    template_key: str
    idempotency_key: str
    status: Status
    counts: SendCounts
    errors: list[MemberErrors]
    created_at: datetime
    finished_at: datetime | None


class ListSendAnswer(msgspec.Struct, frozen=True):
    """The send as it is now."""

    send: ListSendPayload


async def queue(call: Call, list_key: str, mailing: Mailing) -> Answer:
    """Accept the send; while one under the same key is on its way, that is the answer."""
    async with call.wiring.reads.connection() as connection:
        total, through = await extent(connection, call.caller.number, list_key)
    command = RequestListSend(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        list_key=list_key,
        template_key=mailing.template_key,
        mailing=sealed(call.wiring.store.keyring, mailing),
        total=total,
        through=through,
    )

    key = list_send.key_of(call.caller.number, list_key, mailing.key)
    return await submit(call, list_send.decider, command, partial(queued, mailing.key), key=key)


def queued(idempotency_key: str, made: Accepted) -> Answer:
    """The send, and where to look for it."""
    state: ListSend = made.state
    body = ListSent(
        recipient_list_key=state.list_key,
        template_key=state.template_key,
        idempotency_key=idempotency_key,
        counts=counts_of(state.total, state.counts),
        messages=[],
        errors=[],
        send_id=made.number,
    )
    location = f"/api/recipient-lists/{quote(state.list_key, safe=':@')}/sends/{made.number}".encode()
    return json_answer(body, status=ACCEPTED, position=made.position, headers=((b"location", location),))


async def show(call: Call) -> Answer:
    """A send to the list, never stale. Raises Invalid ``not_found`` on ``id`` unless it is the list's."""
    there = await found(call)
    loaded = await load(call, list_send.decider, number=call.number("id"))
    state: ListSend = loaded.state
    if state.requested_at is None or state.status is None or state.client_id != call.caller.number:
        raise not_found("id")
    if state.list_key != there.state.key:
        raise not_found("id")
    async with call.wiring.reads.connection() as connection:
        cursor = await connection.execute(NAMES, ([error.recipient_id for error in state.errors],))
        names = dict(await cursor.fetchall())
    shown = ListSendPayload(
        id=loaded.number,
        recipient_list_key=state.list_key,
        template_key=state.template_key,
        idempotency_key=opened(call.wiring.store.keyring, state.mailing).key,
        status=state.status,
        counts=counts_of(state.total, state.counts),
        errors=[MemberErrors(names.get(error.recipient_id, ""), error.fields) for error in state.errors],
        created_at=state.requested_at,
        finished_at=state.finished_at,
    )
    return json_answer(ListSendAnswer(shown), position=loaded.position)
