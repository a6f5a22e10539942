"""Subscribing and unsubscribing by address, at every scope."""

from __future__ import annotations

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import submit
from api.contacts import names, shown
from api.fields import Email, Reason, Scoped, TagNames, said
from domain import contact as c
from domain.contact import view
from domain.email_address import normalize
from domain.store.order import Accepted


class Subscribe(Scoped, kw_only=True):
    """Subscribe the address to this client, verified now. ``tags`` are added to those there."""

    email: Email
    tags: TagNames | UnsetType = UNSET


class Unsubscribe(Scoped, kw_only=True):
    """Record an opt-out from the client, from the whole audience, or from all marketing mail."""

    email: Email
    scope: c.UnsubscribeScope
    reason: Reason | UnsetType = UNSET


class Unsubscribed(view.ContactPayload, frozen=True, kw_only=True):
    """The contact payload without tags, and the scope of the opt-out."""

    scope: c.UnsubscribeScope


async def subscribe(call: Call, given: Subscribe) -> Answer:
    """Subscribe a contact, registering it when it is new."""
    email = normalize(given.email)
    command = c.Subscribe(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        email=email,
        tags=tuple(said(given.tags) or ()),
    )
    return await submit(call, c.decider, command, shown(call, email=email), key=email)


async def unsubscribe(call: Call, given: Unsubscribe) -> Answer:
    """Record an opt-out, also of an address that was never seen."""
    email = normalize(given.email)
    scope = names(call)
    command = c.Unsubscribe(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=scope.audience_id,
        client_id=scope.client_id,
        email=email,
        scope=given.scope,
        reason=said(given.reason),
    )

    def render(done: Accepted) -> Answer:
        payload = view.payload(done.state, done.number, scope, tags=False, email=email)
        answer = Unsubscribed(**msgspec.structs.asdict(payload), scope=given.scope)
        return json_answer(answer, position=done.position)

    return await submit(call, c.decider, command, render, key=email)
