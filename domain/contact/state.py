"""What a contact is at a moment: enough to decide every command and to answer the contact payload."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.contact.commands import SubscriptionStatus
from domain.contact.events import ValidationStatus
from domain.personal import Address, Personal

Scope = tuple[int, int]


class Subscription(msgspec.Struct, frozen=True):
    """The relation in one scope. ``verified_at`` is this scope's own proof of the address."""

    organization_id: int
    status: SubscriptionStatus
    verified_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    reason: Personal | None = None


class Suppression(msgspec.Struct, frozen=True):
    """One organization's record of a reason never to write: since when, and its words."""

    at: datetime
    reason: Personal | None = None


class EmailValidation(msgspec.Struct, frozen=True):
    """Whether the address can be written to. ``organization_id`` is whose words the reason is."""

    status: ValidationStatus = "unknown"
    reason: Personal | None = None
    validated_at: datetime | None = None
    organization_id: int = 0


class Category(msgspec.Struct, frozen=True):
    """A choice about mail of one category."""

    label: str
    enabled: bool


class Contact(msgspec.Struct, frozen=True):
    """One person's address with all its relations. The dicts and sets are never mutated.

    ``email`` is None when the contact does not exist, or no longer. ``organizations`` are those with a relation.
    Suppressions are keyed by the organization that recorded them, subscriptions and categories by (audience, client)
    with client 0 for the audience itself, tags (slugs) by audience.
    """

    email: Address | None = None
    organizations: frozenset[int] = frozenset()
    verified_at: datetime | None = None
    validation: EmailValidation = EmailValidation()
    global_unsubscribes: dict[int, Suppression] = {}
    hard_bounces: dict[int, Suppression] = {}
    complaints: dict[int, Suppression] = {}
    subscriptions: dict[Scope, Subscription] = {}
    tags: dict[int, frozenset[str]] = {}
    categories: dict[Scope, dict[str, Category]] = {}


def text_of(personal: Personal | None) -> str:
    """Open a text about the person; empty when there is none or its key is gone."""
    return "" if personal is None else personal.text


def personal(text: str | None) -> Personal | None:
    """Wrap a text about the person; nothing when it is empty."""
    return Personal(text) if text else None
