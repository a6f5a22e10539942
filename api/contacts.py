"""Contacts: upsert, status, and a contact as of any moment."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import Render, load, submit
from api.errors import Invalid, not_found
from api.fields import Email, Reason, Scoped, TagNames, said
from api.scalars import INTEGER, parsed_time
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


class ContactAsOf(Scoped, kw_only=True):
    """``as_of`` is a time (ISO 8601) or a log position; without it, now."""

    as_of: str | UnsetType = UNSET


class ContactThen(view.ContactPayload, frozen=True, kw_only=True):
    """The contact payload as of a moment. ``position`` is the log position up to which it was read."""

    as_of: datetime | int | None
    position: int


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


async def as_of(call: Call, given: ContactAsOf) -> Answer:
    """The contact as it was at a time or log position, rebuilt from the log."""
    number = call.number("contact_id")
    scope = names(call)
    moment = None if given.as_of is UNSET else parsed_moment(given.as_of)
    now = await load(call, c.decider, number=number)
    if not view.has_subscription(now.state, scope.audience_id, scope.client_id):
        raise not_found("contact_id")
    if isinstance(moment, int) and moment > now.position:
        raise Invalid({"as_of": "invalid"})
    then = now if moment is None else await load(call, c.decider, number=number, as_of=moment)
    if view.has_subscription(then.state, scope.audience_id, scope.client_id):
        payload = view.payload(then.state, number, scope)
    else:
        payload = view.absent(now.state.email.text, scope, tags=True)
    position = moment if isinstance(moment, int) else then.position
    answer = ContactThen(**msgspec.structs.asdict(payload), as_of=moment, position=position)
    return json_answer(answer, position=position)


def parsed_moment(text: str) -> datetime | int:
    """A log position or a time. Raises Invalid ``must_be_iso_datetime``."""
    if INTEGER.fullmatch(text.strip()):
        return max(int(text), 0)
    time = parsed_time(text)
    if time is None:
        raise Invalid({"as_of": "must_be_iso_datetime"})
    return time
