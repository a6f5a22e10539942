"""Contacts by their address: upsert and status."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import Render, load, submit
from api.fields import Email, Reason, Scoped, TagNames, said
from domain import contact as c
from domain.contact import view
from domain.email_address import normalize
from domain.store.order import Accepted

Status = Literal["pending", "subscribed", "unsubscribed"]


class EmailValidation(msgspec.Struct, kw_only=True):
    """A verdict on the address."""

    status: c.ValidationStatus | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET
    validated_at: datetime | UnsetType | None = UNSET


class Suppression(msgspec.Struct, kw_only=True):
    """Reasons never to write: true records one for the client's organization, false lifts its own."""

    global_unsubscribed: bool | UnsetType = UNSET
    hard_bounced: bool | UnsetType = UNSET
    complained: bool | UnsetType = UNSET


class UpsertContact(Scoped, kw_only=True):
    """Register or change a contact. What is not said is not changed; only a new subscription gets defaults."""

    email: Email
    status: Status | UnsetType = UNSET
    tags: TagNames | UnsetType = UNSET
    verified: bool | UnsetType = UNSET
    email_validation: EmailValidation | UnsetType = UNSET
    suppression: Suppression | UnsetType = UNSET


class ContactStatus(Scoped, kw_only=True):
    """Which contact, and for whom."""

    email: Email


def names(call: Call) -> view.Names:
    """The scope of a call, with its slugs."""
    caller, audience = call.caller, call.audience
    return view.Names(audience.number, caller.number, audience.slug, caller.slug)


def shown(call: Call, *, tags: bool = True, email: str | None = None) -> Render:
    """Answers a command with the contact payload."""
    scope = names(call)

    def render(done: Accepted) -> Answer:
        payload = view.payload(done.state, done.number, scope, tags=tags, email=email)
        return json_answer(payload, position=done.position)

    return render


async def upsert(call: Call, given: UpsertContact) -> Answer:
    """Register or change a contact by its address."""
    email = normalize(given.email)
    command = c.UpsertContact(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        email=email,
        status=said(given.status),
        verified=said(given.verified),
        tags=tuple(said(given.tags) or ()),
        validation=verdict(given.email_validation),
        suppressions=suppressions(given.suppression),
    )
    return await submit(call, c.decider, command, shown(call, email=email), key=email)


def verdict(given: EmailValidation | UnsetType) -> c.EmailVerdict | None:
    """What was said of the address, in the domain's words."""
    if given is UNSET:
        return None
    return c.EmailVerdict(status=said(given.status), reason=said(given.reason), validated_at=said(given.validated_at))


def suppressions(given: Suppression | UnsetType) -> c.Suppressions | None:
    """What an upsert says of suppressions, in the domain's words."""
    if given is UNSET:
        return None
    return c.Suppressions(
        global_unsubscribed=said(given.global_unsubscribed),
        hard_bounced=said(given.hard_bounced),
        complained=said(given.complained),
        field_prefix="suppression.",
    )


async def status(call: Call, given: ContactStatus) -> Answer:
    """The contact as this client sees it; one without a subscription in the scope is answered as absent."""
    email = normalize(given.email)
    scope = names(call)
    loaded = await load(call, c.decider, key=email)
    if view.has_subscription(loaded.state, scope.audience_id, scope.client_id):
        payload = view.payload(loaded.state, loaded.number, scope, tags=False, email=email)
    else:
        payload = view.absent(email, scope)
    return json_answer(payload, position=loaded.position)
