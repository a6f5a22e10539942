"""What a contact looks like to one client in one audience: the contact payload and the flags that senders ask for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from domain.contact.commands import SubscriptionStatus
from domain.contact.events import ValidationStatus
from domain.contact.state import Contact, Subscription, text_of
from domain.contact.tag import tag_named

UNDELIVERABLE: Final = frozenset({"invalid_syntax", "no_mx", "disposable", "risky", "manually_invalid"})


class Names(msgspec.Struct, frozen=True):
    """A scope with the slugs by which its payload names it."""

    audience_id: int
    client_id: int
    audience: str
    client: str


class EmailValidationPayload(msgspec.Struct, frozen=True):
    """The verdict on the address."""

    status: ValidationStatus = "unknown"
    reason: str = ""
    validated_at: datetime | None = None


class SubscriptionPayload(msgspec.Struct, frozen=True):
    """A subscription; ``status`` is None when there is none."""

    slug: str
    subscribed: bool = False
    status: SubscriptionStatus | None = None
    verified: bool = False
    verified_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    unsubscribe_reason: str = ""


class ContactPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The contact payload of the contract, field for field in its order. ``tags`` are left out where not asked for."""

    contact_id: int | None
    email: str
    exists: bool
    verified: bool
    verified_at: datetime | None
    email_validation: EmailValidationPayload
    global_unsubscribed: bool
    hard_bounced: bool
    complained: bool
    audience: SubscriptionPayload
    client: SubscriptionPayload
    can_send_marketing: bool
    can_send_transactional: bool
    tags: tuple[str, ...] | UnsetType = UNSET


class CategoryPayload(msgspec.Struct, frozen=True):
    """A category, labelled by its slug until it gets a label."""

    tag: str
    label: str
    enabled: bool


class PreferencesPayload(msgspec.Struct, frozen=True, kw_only=True):
    """The category preferences of the contract, field for field in its order."""

    email: str
    audience: str
    client: str
    categories: tuple[CategoryPayload, ...]
    global_unsubscribed: bool
    suppressed: bool
    suppression_reasons: tuple[str, ...]


def suppression_reasons(state: Contact) -> tuple[str, ...]:
    """Name the reasons never to send marketing mail: ``global_unsubscribed``, ``hard_bounce``, ``complaint``."""
    holds = (
        ("global_unsubscribed", state.global_unsubscribes),
        ("hard_bounce", state.hard_bounces),
        ("complaint", state.complaints),
    )
    return tuple(reason for reason, records in holds if records)


def has_subscription(state: Contact, audience_id: int, client_id: int) -> bool:
    """Tell whether the contact exists for this client in this audience."""
    return (audience_id, client_id) in state.subscriptions


def verified_for(state: Contact, audience_id: int, client_id: int) -> bool:
    """Tell whether the address was proven globally, to the audience or to the client."""
    if state.verified_at is not None:
        return True
    scopes = ((audience_id, client_id), (audience_id, 0))
    return any(found is not None and found.verified_at is not None for found in map(state.subscriptions.get, scopes))


def can_send_transactional(state: Contact) -> bool:
    """Tell whether mail that the person asked for may go out: neither bounced nor complained."""
    return state.email is not None and not state.hard_bounces and not state.complaints


def can_send_marketing(state: Contact, audience_id: int, client_id: int) -> bool:
    """Tell whether a campaign may reach the contact (contract, Contacts)."""
    if not can_send_transactional(state) or state.global_unsubscribes or state.validation.status in UNDELIVERABLE:
        return False
    own = state.subscriptions.get((audience_id, client_id))
    if own is None or own.status != "subscribed":
        return False
    shared = state.subscriptions.get((audience_id, 0))
    if shared is not None and shared.status == "unsubscribed":
        return False
    return verified_for(state, audience_id, client_id)


def payload(
    state: Contact, contact_id: int | None, names: Names, *, tags: bool = True, email: str | None = None
) -> ContactPayload:
    """Show an existing contact. ``email`` spares the unsealing where the caller knows the normalized address."""
    audience, client = names.audience_id, names.client_id
    validation = state.validation
    return ContactPayload(
        contact_id=contact_id,
        email=text_of(state.email) if email is None else email,
        exists=True,
        verified=state.verified_at is not None,
        verified_at=state.verified_at,
        email_validation=EmailValidationPayload(validation.status, text_of(validation.reason), validation.validated_at),
        global_unsubscribed=bool(state.global_unsubscribes),
        hard_bounced=bool(state.hard_bounces),
        complained=bool(state.complaints),
        audience=_subscription(names.audience, state.subscriptions.get((audience, 0))),
        client=_subscription(names.client, state.subscriptions.get((audience, client))),
        can_send_marketing=can_send_marketing(state, audience, client),
        can_send_transactional=can_send_transactional(state),
        tags=tuple(sorted(state.tags.get(audience, ()))) if tags else UNSET,
    )


def absent(email: str, names: Names, *, tags: bool = False) -> ContactPayload:
    """Show an address that is no contact in this scope: every flag false, the email normalized by the caller."""
    return ContactPayload(
        contact_id=None,
        email=email,
        exists=False,
        verified=False,
        verified_at=None,
        email_validation=EmailValidationPayload(),
        global_unsubscribed=False,
        hard_bounced=False,
        complained=False,
        audience=SubscriptionPayload(names.audience),
        client=SubscriptionPayload(names.client),
        can_send_marketing=False,
        can_send_transactional=False,
        tags=() if tags else UNSET,
    )


def _subscription(slug: str, found: Subscription | None) -> SubscriptionPayload:
    if found is None:
        return SubscriptionPayload(slug)
    return SubscriptionPayload(
        slug,
        found.status == "subscribed",
        found.status,
        found.verified_at is not None,
        found.verified_at,
        found.unsubscribed_at,
        text_of(found.reason),
    )


def preferences(state: Contact, names: Names, *, email: str, tags: Iterable[str] = ()) -> PreferencesPayload:
    """Show the choices on the categories named by ``tags``, or without any on all that were ever set, by slug.

    Raises Rejected on ``category_tags`` when a name makes no slug.
    """
    chosen = state.categories.get((names.audience_id, names.client_id), {})
    slugs = list(dict.fromkeys(tag_named(tag, "category_tags").slug for tag in tags)) or sorted(chosen)
    reasons = suppression_reasons(state)
    return PreferencesPayload(
        email=email,
        audience=names.audience,
        client=names.client,
        categories=tuple(
            CategoryPayload(slug, chosen[slug].label, chosen[slug].enabled)
            if slug in chosen
            else CategoryPayload(slug, slug, enabled=True)
            for slug in slugs
        ),
        global_unsubscribed=bool(state.global_unsubscribes),
        suppressed=bool(reasons),
        suppression_reasons=reasons,
    )
