"""Deciding on a subscription: its status, its proof of the address, and the opt-out that must never be lost."""

from __future__ import annotations

from datetime import datetime

from domain.contact.commands import (
    ScopedCommand,
    Subscribe,
    SubscriptionStatus,
    Suppressions,
    Unsubscribe,
    VerifyContact,
    WithdrawVerification,
)
from domain.contact.events import (
    ContactAwaitingConfirmation,
    ContactResubscribed,
    ContactSubscribed,
    ContactUnsubscribed,
    ContactUnsubscribeExplained,
    ContactVerificationWithdrawn,
    ContactVerified,
)
from domain.contact.registration import register, require_subscription
from domain.contact.state import Contact, Subscription, personal, text_of
from domain.contact.suppression import suppress
from domain.contact.tagging import add_tags
from domain.decider import Event
from domain.personal import Personal


def enroll(
    state: Contact,
    command: ScopedCommand,
    *,
    status: SubscriptionStatus | None = None,
    verified: bool | None = None,
    reason: str | None = None,
) -> list[Event]:
    """Bring the scope's subscription to what was said; a new one is pending and unverified unless said otherwise."""
    scope = (command.audience_id, command.client_id)
    before = state.subscriptions.get(scope)
    proven = before is not None and before.verified_at is not None
    wanted = status or ("pending" if before is None else before.status)
    if before is None or before.status != wanted:
        events = [_moved(command, before, wanted, reason, proves=bool(verified) and not proven)]
        proven = proven or wanted != "unsubscribed"
    elif wanted == "unsubscribed" and reason and reason != text_of(before.reason):
        events = [_explained(command, reason)]
    else:
        events = []
    if verified and not proven:
        events.append(_proof(command, command.at))
    elif verified is False and before is not None and before.verified_at is not None:
        events.append(_withdrawal(command))
    return events


def _moved(
    command: ScopedCommand, before: Subscription | None, wanted: SubscriptionStatus, reason: str | None, *, proves: bool
) -> Event:
    own, audience, client = command.organization_id, command.audience_id, command.client_id
    if wanted == "unsubscribed":
        return ContactUnsubscribed(
            at=command.at, organization_id=own, audience_id=audience, client_id=client, reason=personal(reason)
        )
    fact: type[ContactAwaitingConfirmation | ContactSubscribed | ContactResubscribed]
    if wanted == "pending":
        fact = ContactAwaitingConfirmation
    elif before is not None and before.status == "unsubscribed":
        fact = ContactResubscribed
    else:
        fact = ContactSubscribed
    verified_at = command.at if proves else None
    return fact(at=command.at, organization_id=own, audience_id=audience, client_id=client, verified_at=verified_at)


def _explained(command: ScopedCommand, reason: str) -> Event:
    return ContactUnsubscribeExplained(
        at=command.at, audience_id=command.audience_id, client_id=command.client_id, reason=Personal(reason)
    )


def _proof(command: ScopedCommand, verified_at: datetime) -> Event:
    return ContactVerified(
        at=command.at, audience_id=command.audience_id, client_id=command.client_id, verified_at=verified_at
    )


def _withdrawal(command: ScopedCommand) -> Event:
    return ContactVerificationWithdrawn(at=command.at, audience_id=command.audience_id, client_id=command.client_id)


def subscribe(state: Contact, command: Subscribe) -> tuple[Event, ...]:
    """Subscribe, verified now unless it was before, and add the tags."""
    tagged = add_tags(state, command, command.tags)
    return (*register(state, command), *enroll(state, command, status="subscribed", verified=True), *tagged)


def unsubscribe(state: Contact, command: Unsubscribe) -> tuple[Event, ...]:
    """Record the opt-out at its scope; quiet when it stands, unless another reason is given."""
    registered = register(state, command)
    if command.scope == "global":
        return (*registered, *suppress(state, command, Suppressions(global_unsubscribed=True, reason=command.reason)))
    scoped = ScopedCommand(
        at=command.at,
        organization_id=command.organization_id,
        audience_id=command.audience_id,
        client_id=command.client_id if command.scope == "client" else 0,
    )
    return (*registered, *enroll(state, scoped, status="unsubscribed", reason=command.reason))


def verify(state: Contact, command: VerifyContact) -> tuple[Event, ...]:
    """Verify the scope; without a time said, an earlier proof stands."""
    before = _verified_at(state, command)
    wanted = command.verified_at or before or command.at
    if wanted == before:
        return ()
    return (_proof(command, wanted),)


def withdraw_verification(state: Contact, command: WithdrawVerification) -> tuple[Event, ...]:
    """Take the scope's proof back; quiet when there is none."""
    return () if _verified_at(state, command) is None else (_withdrawal(command),)


def _verified_at(state: Contact, command: ScopedCommand) -> datetime | None:
    if not command.audience_id and not command.client_id and state.email is not None:
        return state.verified_at
    require_subscription(state, command)
    return state.subscriptions[command.audience_id, command.client_id].verified_at
