"""Erasing: ending one organization's relation with a contact (design, section 8)."""

from __future__ import annotations

from msgspec.structs import replace

from domain.contact.commands import EraseContact
from domain.contact.events import ContactErased
from domain.contact.state import Contact, Suppression
from domain.decider import Event


def erase(state: Contact, command: EraseContact) -> tuple[Event, ...]:
    """Say what goes with the organization's relation; nothing when it has none."""
    own = command.organization_id
    if own not in state.organizations:
        return ()
    scopes = [scope for scope, subscription in state.subscriptions.items() if subscription.organization_id == own]
    audiences = {audience for audience, _ in scopes}
    last = state.organizations == {own}
    erased = ContactErased(
        at=command.at,
        organization_id=own,
        audience_ids=tuple(sorted(audiences)),
        last=last,
        subscriptions=len(scopes),
        tags=sum(len(slugs) for audience, slugs in state.tags.items() if audience in audiences),
        categories=sum(len(chosen) for scope, chosen in state.categories.items() if scope[0] in audiences),
        suppressions=sum(own in records for records in _records(state)),
        hard_bounced=last and bool(state.hard_bounces),
        complained=last and bool(state.complaints),
    )
    return (erased,)


def _records(state: Contact) -> tuple[dict[int, Suppression], ...]:
    return state.global_unsubscribes, state.hard_bounces, state.complaints


def forget(state: Contact, event: ContactErased) -> Contact:
    """Drop what the organization held. Its suppressions stand without their words; with the last one all goes."""
    if event.last:
        return Contact()
    own, audiences = event.organization_id, event.audience_ids
    validation = state.validation
    if validation.organization_id == own:
        validation = replace(validation, reason=None)
    return replace(
        state,
        organizations=state.organizations - {own},
        validation=validation,
        global_unsubscribes=_wordless(state.global_unsubscribes, own),
        hard_bounces=_wordless(state.hard_bounces, own),
        complaints=_wordless(state.complaints, own),
        subscriptions={k: v for k, v in state.subscriptions.items() if v.organization_id != own},
        tags={k: v for k, v in state.tags.items() if k not in audiences},
        categories={k: v for k, v in state.categories.items() if k[0] not in audiences},
    )


def _wordless(records: dict[int, Suppression], organization_id: int) -> dict[int, Suppression]:
    if organization_id not in records:
        return records
    return {**records, organization_id: Suppression(records[organization_id].at)}
