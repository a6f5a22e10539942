"""How each fact changes a contact. Total: an event that finds nothing to change leaves the contact as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from domain.contact import events as e
from domain.contact.commands import SubscriptionStatus
from domain.contact.erasure import forget
from domain.contact.state import Category, Contact, EmailValidation, Scope, Subscription, Suppression
from domain.decider import Event

_Entered = e.ContactAwaitingConfirmation | e.ContactSubscribed | e.ContactResubscribed
_Chosen = e.ContactCategoryEnabled | e.ContactCategoryDisabled


def _registered(state: Contact, event: e.ContactRegistered) -> Contact:
    return replace(state, email=event.email, organizations=state.organizations | {event.organization_id})


def _addressed(state: Contact, event: e.ContactAddressed) -> Contact:
    return replace(state, organizations=state.organizations | {event.organization_id})


def _with_subscription(state: Contact, scope: Scope, subscription: Subscription) -> Contact:
    subscriptions = {**state.subscriptions, scope: subscription}
    if subscription.organization_id in state.organizations:
        return replace(state, subscriptions=subscriptions)
    organizations = state.organizations | {subscription.organization_id}
    return replace(state, subscriptions=subscriptions, organizations=organizations)


def _entered(state: Contact, event: _Entered, status: SubscriptionStatus) -> Contact:
    scope = (event.audience_id, event.client_id)
    before = state.subscriptions.get(scope)
    verified_at = event.verified_at
    if before is not None and before.verified_at is not None:
        verified_at = before.verified_at
    return _with_subscription(state, scope, Subscription(event.organization_id, status, verified_at))


def _awaiting_confirmation(state: Contact, event: e.ContactAwaitingConfirmation) -> Contact:
    return _entered(state, event, "pending")


def _subscribed(state: Contact, event: e.ContactSubscribed | e.ContactResubscribed) -> Contact:
    return _entered(state, event, "subscribed")


def _unsubscribed(state: Contact, event: e.ContactUnsubscribed) -> Contact:
    scope = (event.audience_id, event.client_id)
    before = state.subscriptions.get(scope)
    verified_at = None if before is None else before.verified_at
    after = Subscription(event.organization_id, "unsubscribed", verified_at, event.at, event.reason)
    return _with_subscription(state, scope, after)


def _subscription_withdrawn(state: Contact, event: e.ContactSubscriptionWithdrawn) -> Contact:
    """With the last subscription in an audience go its tags: they have no place any more."""
    scope = (event.audience_id, event.client_id)
    left = {place: each for place, each in state.subscriptions.items() if place != scope}
    if any(audience == event.audience_id for audience, _ in left):
        return replace(state, subscriptions=left)
    tags = {audience: slugs for audience, slugs in state.tags.items() if audience != event.audience_id}
    return replace(state, subscriptions=left, tags=tags)


def _subscription_restored(state: Contact, event: e.ContactSubscriptionRestored) -> Contact:
    after = Subscription(event.organization_id, event.status, event.verified_at, event.unsubscribed_at, event.reason)
    return _with_subscription(state, (event.audience_id, event.client_id), after)


def _unsubscribe_explained(state: Contact, event: e.ContactUnsubscribeExplained) -> Contact:
    scope = (event.audience_id, event.client_id)
    before = state.subscriptions.get(scope)
    return state if before is None else _with_subscription(state, scope, replace(before, reason=event.reason))


def _globally_unsubscribed(state: Contact, event: e.ContactGloballyUnsubscribed) -> Contact:
    records = {**state.global_unsubscribes, event.organization_id: Suppression(event.at, event.reason)}
    return replace(state, global_unsubscribes=records, organizations=state.organizations | {event.organization_id})


def _hard_bounced(state: Contact, event: e.ContactHardBounced) -> Contact:
    records = {**state.hard_bounces, event.organization_id: Suppression(event.at, event.reason)}
    return replace(state, hard_bounces=records)


def _complained(state: Contact, event: e.ContactComplained) -> Contact:
    records = {**state.complaints, event.organization_id: Suppression(event.at, event.reason)}
    return replace(state, complaints=records)


def _without(records: dict[int, Suppression], organization_id: int) -> dict[int, Suppression]:
    return {owner: record for owner, record in records.items() if owner != organization_id}


def _global_unsubscribe_lifted(state: Contact, event: e.ContactGlobalUnsubscribeLifted) -> Contact:
    return replace(state, global_unsubscribes=_without(state.global_unsubscribes, event.organization_id))


def _hard_bounce_lifted(state: Contact, event: e.ContactHardBounceLifted) -> Contact:
    return replace(state, hard_bounces=_without(state.hard_bounces, event.organization_id))


def _complaint_lifted(state: Contact, event: e.ContactComplaintLifted) -> Contact:
    return replace(state, complaints=_without(state.complaints, event.organization_id))


def _verified(state: Contact, event: e.ContactVerified) -> Contact:
    if not event.audience_id:
        return replace(state, verified_at=event.verified_at)
    scope = (event.audience_id, event.client_id)
    before = state.subscriptions.get(scope)
    return state if before is None else _with_subscription(state, scope, replace(before, verified_at=event.verified_at))


def _verification_withdrawn(state: Contact, event: e.ContactVerificationWithdrawn) -> Contact:
    if not event.audience_id:
        return replace(state, verified_at=None)
    scope = (event.audience_id, event.client_id)
    before = state.subscriptions.get(scope)
    return state if before is None else _with_subscription(state, scope, replace(before, verified_at=None))


def _email_validated(state: Contact, event: e.ContactEmailValidated) -> Contact:
    reason, owner = event.reason, event.organization_id
    if reason is None:
        reason, owner = state.validation.reason, state.validation.organization_id
    return replace(state, validation=EmailValidation(event.status, reason, event.validated_at, owner))


def _tagged(state: Contact, event: e.ContactTagged) -> Contact:
    slugs = state.tags.get(event.audience_id, frozenset()).union([tag.slug for tag in event.tags])
    return replace(state, tags={**state.tags, event.audience_id: slugs})


def _untagged(state: Contact, event: e.ContactUntagged) -> Contact:
    slugs = state.tags.get(event.audience_id, frozenset()).difference(event.slugs)
    return replace(state, tags={**state.tags, event.audience_id: slugs})


def _chosen(state: Contact, event: _Chosen, *, enabled: bool) -> Contact:
    scope = (event.audience_id, event.client_id)
    choices = {**state.categories.get(scope, {}), event.tag: Category(event.label, enabled)}
    return replace(state, categories={**state.categories, scope: choices})


def _category_enabled(state: Contact, event: e.ContactCategoryEnabled) -> Contact:
    return _chosen(state, event, enabled=True)


def _category_disabled(state: Contact, event: e.ContactCategoryDisabled) -> Contact:
    return _chosen(state, event, enabled=False)


_CASES: Final[dict[type[Event], Callable[[Contact, Any], Contact]]] = {
    e.ContactRegistered: _registered,
    e.ContactAddressed: _addressed,
    e.ContactAwaitingConfirmation: _awaiting_confirmation,
    e.ContactSubscribed: _subscribed,
    e.ContactResubscribed: _subscribed,
    e.ContactUnsubscribed: _unsubscribed,
    e.ContactSubscriptionWithdrawn: _subscription_withdrawn,
    e.ContactSubscriptionRestored: _subscription_restored,
    e.ContactUnsubscribeExplained: _unsubscribe_explained,
    e.ContactGloballyUnsubscribed: _globally_unsubscribed,
    e.ContactGlobalUnsubscribeLifted: _global_unsubscribe_lifted,
    e.ContactHardBounced: _hard_bounced,
    e.ContactHardBounceLifted: _hard_bounce_lifted,
    e.ContactComplained: _complained,
    e.ContactComplaintLifted: _complaint_lifted,
    e.ContactVerified: _verified,
    e.ContactVerificationWithdrawn: _verification_withdrawn,
    e.ContactEmailValidated: _email_validated,
    e.ContactTagged: _tagged,
    e.ContactUntagged: _untagged,
    e.ContactCategoryEnabled: _category_enabled,
    e.ContactCategoryDisabled: _category_disabled,
    e.ContactErased: forget,
}


def evolve(state: Contact, event: Event) -> Contact:
    """Take a fact into account. Never raises; an event of another kind of thing changes nothing."""
    case = _CASES.get(type(event))
    return state if case is None else case(state, event)
