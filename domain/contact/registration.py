"""Deciding whether an address is known, to whom, and in which scope."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from domain.contact.commands import RegisterContact, ScopedCommand, Subscribe, Unsubscribe, UpsertContact
from domain.contact.events import (
    COMPLAINED,
    HARD_BOUNCED,
    ContactAddressed,
    ContactComplained,
    ContactHardBounced,
    ContactRegistered,
)
from domain.contact.state import Contact, Suppression
from domain.decider import Event, Rejected
from domain.personal import Address

NOBODY: Final = 0
"""The organization of a suppression that outlived an erasure."""


def require_subscription(state: Contact, command: ScopedCommand, field: str = "contact_id") -> None:
    """Raise Rejected ``not_found`` on the field unless the contact has a subscription in the command's scope."""
    if (command.audience_id, command.client_id) not in state.subscriptions:
        raise Rejected("not_found", field)


def register(state: Contact, command: RegisterContact | UpsertContact | Subscribe | Unsubscribe) -> tuple[Event, ...]:
    """Register an address that is not known."""
    if state.email is not None:
        return ()
    email = Address(command.email)
    registered = ContactRegistered(at=command.at, email=email, organization_id=command.organization_id)
    return (registered, *_still_suppressed(state, command.at))


def remembered(flags: int) -> Contact:
    """Give the contact of an address that was erased and must not be written to, before it is registered again."""
    nobodys = {NOBODY: Suppression(datetime.min.replace(tzinfo=UTC))}
    return Contact(
        hard_bounces=nobodys if flags & HARD_BOUNCED else {}, complaints=nobodys if flags & COMPLAINED else {}
    )


def _still_suppressed(state: Contact, at: datetime) -> Iterator[Event]:
    """What outlived an erasure holds for the new contact, as no organization's record: none can lift it."""
    if NOBODY in state.hard_bounces:
        yield ContactHardBounced(at=at, organization_id=NOBODY)
    if NOBODY in state.complaints:
        yield ContactComplained(at=at, organization_id=NOBODY)


def register_contact(state: Contact, command: RegisterContact) -> tuple[Event, ...]:
    """Register the address, or the organization's relation with a known one."""
    if state.email is None:
        return register(state, command)
    if command.organization_id in state.organizations:
        return ()
    return (ContactAddressed(at=command.at, organization_id=command.organization_id),)
