"""Deciding whether an address is known, to whom, and in which scope."""

from __future__ import annotations

from domain.contact.commands import RegisterContact, ScopedCommand, Subscribe, Unsubscribe, UpsertContact
from domain.contact.events import ContactAddressed, ContactRegistered
from domain.contact.state import Contact
from domain.decider import Event, Rejected
from domain.personal import Address


def require_subscription(state: Contact, command: ScopedCommand, field: str = "contact_id") -> None:
    """Raise Rejected ``not_found`` on the field unless the contact has a subscription in the command's scope."""
    if (command.audience_id, command.client_id) not in state.subscriptions:
        raise Rejected("not_found", field)


def register(state: Contact, command: RegisterContact | UpsertContact | Subscribe | Unsubscribe) -> tuple[Event, ...]:
    """Register an address that is not known."""
    if state.email is not None:
        return ()
    email = Address(command.email)
    return (ContactRegistered(at=command.at, email=email, organization_id=command.organization_id),)


def register_contact(state: Contact, command: RegisterContact) -> tuple[Event, ...]:
    """Register the address, or the organization's relation with a known one."""
    if state.email is None:
        return register(state, command)
    if command.organization_id in state.organizations:
        return ()
    return (ContactAddressed(at=command.at, organization_id=command.organization_id),)
