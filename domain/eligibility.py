"""Who may get a mail: an ordered list of pure rules, each giving the reason why not (contract, Campaigns)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import Final, Literal

import msgspec

from domain.contact import Contact, SubscriptionStatus
from domain.contact.view import UNDELIVERABLE, verified_for

SkipReason = Literal[
    "hard_bounce",
    "complaint",
    "global_unsubscribe",
    "invalid_email",
    "unverified",
    "audience_unsubscribe",
    "client_unsubscribe",
    "suppressed",
]


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """What the rules ask of a contact in the scope of an audience and a client."""

    hard_bounced: bool = False
    complained: bool = False
    global_unsubscribed: bool = False
    validation: str = "unknown"
    verified: bool = False
    audience_status: SubscriptionStatus | None = None
    client_status: SubscriptionStatus | None = None
    category_disabled: bool = False


Rule = tuple[SkipReason, Callable[[Candidate], bool]]

NEVER: Final[tuple[Rule, ...]] = (
    ("hard_bounce", lambda contact: contact.hard_bounced),
    ("complaint", lambda contact: contact.complained),
)
"""No mail at all."""

CATEGORY: Final[Rule] = ("client_unsubscribe", lambda contact: contact.category_disabled)

CAMPAIGN: Final[tuple[Rule, ...]] = (
    *NEVER,
    ("global_unsubscribe", lambda contact: contact.global_unsubscribed),
    ("invalid_email", lambda contact: contact.validation in UNDELIVERABLE),
    ("unverified", lambda contact: not contact.verified),
    ("audience_unsubscribe", lambda contact: contact.audience_status == "unsubscribed"),
    ("client_unsubscribe", lambda contact: contact.client_status == "unsubscribed"),
    ("suppressed", lambda contact: contact.client_status != "subscribed"),
    CATEGORY,
)
TRANSACTIONAL: Final[tuple[Rule, ...]] = (*NEVER, CATEGORY)


def skip_reason(candidate: Candidate, rules: Iterable[Rule]) -> SkipReason | None:
    """Give the first reason that holds; None when the mail may go."""
    for reason, holds in rules:
        if holds(candidate):
            return reason
    return None


def candidate(contact: Contact, audience_id: int, client_id: int, category_tag: str = "") -> Candidate:
    """Ask a contact in a scope. ``category_tag`` is a slug; a category never chosen is enabled."""
    shared = contact.subscriptions.get((audience_id, 0))
    own = contact.subscriptions.get((audience_id, client_id))
    chosen = contact.categories.get((audience_id, client_id), {}).get(category_tag)
    return Candidate(
        hard_bounced=bool(contact.hard_bounces),
        complained=bool(contact.complaints),
        global_unsubscribed=bool(contact.global_unsubscribes),
        validation=contact.validation.status,
        verified=verified_for(contact, audience_id, client_id),
        audience_status=None if shared is None else shared.status,
        client_status=None if own is None else own.status,
        category_disabled=chosen is not None and not chosen.enabled,
    )


def campaign_skip_reason(
    contact: Contact, audience_id: int, client_id: int, category_tag: str = ""
) -> SkipReason | None:
    """Tell why a campaign's mail may not go to a contact; one that is gone is ``suppressed``."""
    if contact.email is None:
        return "suppressed"
    return skip_reason(candidate(contact, audience_id, client_id, category_tag), CAMPAIGN)


def transactional_skip_reason(
    contact: Contact, audience_id: int, client_id: int, category_tag: str = ""
) -> SkipReason | None:
    """Tell why a mail that the person asked for may not go. Without a category the scope is not asked."""
    if contact.email is None:
        return "suppressed"
    return skip_reason(candidate(contact, audience_id, client_id, category_tag), TRANSACTIONAL)


def is_intended(tags: Collection[str], include_tags: Iterable[str], exclude_tags: Iterable[str]) -> bool:
    """Tell whether a campaign means a contact with these tags: it has all of the one kind and none of the other."""
    return all(tag in tags for tag in include_tags) and not any(tag in tags for tag in exclude_tags)
