"""Requests a transactional message: registers the contact, then has the log take the message once for its key."""

from __future__ import annotations

from uuid import uuid4

from api.call import Call
from api.commands import context_of
from api.errors import refused
from domain import contact, message
from domain.store.order import Accepted, Failed, Order, Refused


async def done(call: Call, order: Order) -> Accepted:
    """Carry an order out. Raises Invalid when a rule refuses it, and what keeps the store from it."""
    outcome = await call.wiring.writer.submit(order)
    if isinstance(outcome, Accepted):
        return outcome
    if isinstance(outcome, Refused):
        raise refused(outcome.error)
    raise outcome.error if isinstance(outcome, Failed) else TypeError(outcome)


async def registered(call: Call, email: str) -> Accepted:
    """The contact of a normalized address, made known to the client's organization when it is not."""
    command = contact.RegisterContact(at=call.now, organization_id=call.caller.organization_id, email=email)
    return await done(call, Order(decider=contact.decider, command=command, context=context_of(call), key=email))


async def requested(call: Call, key: str, command: message.RequestMessage) -> Accepted:
    """Have a message under the key; without events when there was one before."""
    order = Order(
        decider=message.transactional,
        command=command,
        context=context_of(call),
        key=message.key_of(call.caller.number, key),
        contact_id=command.contact_id,
    )
    return await done(call, order)


def key_of(call: Call, given: str) -> str:
    """What makes two requests one message: the client's key, else the Idempotency-Key header, else nothing does."""
    if given:
        return given
    return f"request:{call.ticket.asked.key if call.ticket else uuid4()}"


def is_keyed(call: Call, given: str) -> bool:
    """Tell whether an earlier request can have had the same key."""
    return bool(given) or call.ticket is not None
