"""Changes of one contact by its id: verification, validation, suppression."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from api.answer import Answer
from api.call import Call
from api.commands import submit
from api.contacts import shown
from api.fields import Reason, Scoped, said
from domain import contact as c


class VerifyContact(Scoped, kw_only=True):
    """True verifies the client-scoped subscription, keeping an earlier time; false takes it back."""

    verified: bool
    verified_at: datetime | UnsetType | None = UNSET


class ValidateContact(Scoped, kw_only=True):
    """A verdict on the address. Without ``reason`` the one there stays; an empty one clears it."""

    status: c.ValidationStatus
    reason: Reason | UnsetType = UNSET
    validated_at: datetime | UnsetType | None = UNSET


class SuppressContact(Scoped, kw_only=True):
    """True records a suppression for the client's organization, false lifts its own."""

    global_unsubscribed: bool | UnsetType = UNSET
    hard_bounced: bool | UnsetType = UNSET
    complained: bool | UnsetType = UNSET
    reason: Reason | UnsetType = UNSET


async def verify(call: Call, given: VerifyContact) -> Answer:
    """Say whether the contact proved to this client that the address is its own."""
    number, own = call.number("contact_id"), call.caller
    at, scope = call.now, (own.organization_id, call.audience.number, own.number)
    command: c.VerifyContact | c.WithdrawVerification
    if given.verified:
        command = c.VerifyContact(
            at=at,
            organization_id=scope[0],
            audience_id=scope[1],
            client_id=scope[2],
            verified_at=said(given.verified_at),
        )
    else:
        command = c.WithdrawVerification(at=at, organization_id=scope[0], audience_id=scope[1], client_id=scope[2])
    return await submit(call, c.decider, command, shown(call), number=number)


async def validate(call: Call, given: ValidateContact) -> Answer:
    """Say whether the address can be written to."""
    number = call.number("contact_id")
    command = c.ValidateEmail(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        verdict=c.EmailVerdict(status=given.status, reason=said(given.reason), validated_at=said(given.validated_at)),
    )
    return await submit(call, c.decider, command, shown(call), number=number)


async def suppress(call: Call, given: SuppressContact) -> Answer:
    """Record or lift reasons never to write to the contact."""
    number = call.number("contact_id")
    command = c.SuppressContact(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        suppressions=c.Suppressions(
            global_unsubscribed=said(given.global_unsubscribed),
            hard_bounced=said(given.hard_bounced),
            complained=said(given.complained),
            reason=said(given.reason),
        ),
    )
    return await submit(call, c.decider, command, shown(call), number=number)
