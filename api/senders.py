"""Who a client's mail is from: its named senders and the default one."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.fields import said
from domain import client
from domain.sender import SENDERS_LIMIT, Sender
from domain.store.order import Accepted

Trimmed = Annotated[str, Meta(extra={"trim": True})]


class GivenSender(msgspec.Struct, kw_only=True):
    """``email`` is an address or ``Name <address>``."""

    id: Trimmed
    email: Trimmed


class ReplaceSenders(msgspec.Struct, kw_only=True):
    """Exactly the senders that the client shall have; the default one is where a request names none."""

    senders: Annotated[list[GivenSender], Meta(max_length=SENDERS_LIMIT)]
    default_sender_id: Trimmed | UnsetType = UNSET


class ClientNames(msgspec.Struct, frozen=True):
    """Whose senders they are."""

    organization: str
    slug: str
    name: str


class SendersAnswer(msgspec.Struct, frozen=True):
    """The senders in the order in which they were given."""

    client: ClientNames
    default_sender_id: str
    senders: tuple[Sender, ...]


def shown(call: Call, state: client.Client) -> SendersAnswer:
    """The senders of the calling client."""
    names = ClientNames(call.caller.organization, call.caller.slug, call.caller.name)
    return SendersAnswer(names, state.default_sender_id, state.senders)


async def read(call: Call) -> Answer:
    """The client's senders."""
    loaded = await load(call, client.decider, number=call.caller.number)
    return json_answer(shown(call, loaded.state), position=loaded.position)


async def replace(call: Call, given: ReplaceSenders) -> Answer:
    """Replace the client's senders; mail that was requested before keeps the sender it had."""
    command = client.ReplaceSenders(
        at=call.now,
        senders=tuple(Sender(sender.id, sender.email) for sender in given.senders),
        default_sender_id=said(given.default_sender_id) or "",
    )

    def render(done: Accepted) -> Answer:
        return json_answer(shown(call, done.state), position=done.position)

    return await submit(call, client.decider, command, render, number=call.caller.number)
