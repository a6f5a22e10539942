"""Hands a command to the store and turns what became of it into an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Any

from msgspec.structs import replace

from api.answer import Answer, error_answer
from api.call import Call
from api.errors import refused
from api.idempotency import Ticket, replayed
from domain.decider import Decider
from domain.store.idempotency import Remember
from domain.store.order import Accepted, Context, Failed, Loaded, Order, Refused

Render = Callable[[Accepted], Answer]


async def submit(
    call: Call,
    decider: Decider[Any],
    command: Any,
    render: Render,
    *,
    key: str | None = None,
    number: int | None = None,
) -> Answer:
    """Carry a command out for the caller, and render the outcome. Raises Invalid when a rule refuses it."""
    order = Order(decider=decider, command=command, context=context_of(call), key=key, number=number)
    return await carry_out(call, order, render)


async def carry_out(call: Call, order: Order, render: Render) -> Answer:
    """Carry an order out, and render the outcome. Raises Invalid when a rule refuses it."""
    ticket = call.ticket
    if ticket:
        order = replace(order, remember=remember(ticket, render))
    outcome = await call.wiring.writer.submit(order)
    if isinstance(outcome, Failed):
        raise outcome.error
    if ticket:
        ticket.done = True
    if isinstance(outcome, Accepted):
        return render(outcome)
    if isinstance(outcome, Refused):
        raise refused(outcome.error)
    return replayed(outcome, ticket.asked.request if ticket else None)


def context_of(call: Call) -> Context:
    """Who acts: the calling client, or an operator for the system."""
    if call.authenticated is None:
        return Context(correlation_id=call.correlation_id, source="operator")
    return Context(
        organization_id=call.authenticated.organization_id,
        client_id=call.authenticated.number,
        correlation_id=call.correlation_id,
    )


def remember(ticket: Ticket, render: Render) -> Remember:
    """Ask the store to keep the answer in the transaction of the command's events."""

    def answer(outcome: Accepted | Refused) -> tuple[int, bytes]:
        rendered = render(outcome) if isinstance(outcome, Accepted) else error_answer(refused(outcome.error))
        return rendered.status, rendered.body if rendered.kept is None else rendered.kept

    return Remember(ticket.asked, answer)


async def load(
    call: Call,
    decider: Decider[Any],
    *,
    key: str | None = None,
    number: int | None = None,
    as_of: int | datetime | None = None,
) -> Loaded:
    """The state of one stream, by its key or number; as it is now, or was as of a log position or time."""
    if as_of is None:
        return await call.wiring.writer.load(decider, key=key, number=number)
    keys, numbers = [key] if key is not None else [], [number] if number is not None else []
    read = partial(call.wiring.store.load, decider, keys=keys, numbers=numbers, as_of=as_of)
    return (await asyncio.to_thread(read))[0]
