"""The proof of consent: every fact about what one person agreed to and refused, as one organization may show it.

GDPR, article 7 (1): the controller shall be able to demonstrate that the person has consented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from domain.chain import Json, chained
from domain.contact import SubscriptionStatus
from domain.contact import events as e
from domain.contact.changes import folded
from domain.contact.disclosure import disclosed, last_erasure
from domain.contact.state import Contact
from domain.decider import EVENT_TYPES, Event
from domain.personal import Personal

FORMAT: Final = "datamailer.consent.v1"

CONSENT: Final = (
    e.ContactRegistered,
    e.ContactAddressed,
    e.ContactAwaitingConfirmation,
    e.ContactSubscribed,
    e.ContactResubscribed,
    e.ContactUnsubscribed,
    e.ContactSubscriptionWithdrawn,
    e.ContactSubscriptionRestored,
    e.ContactUnsubscribeExplained,
    e.ContactGloballyUnsubscribed,
    e.ContactGlobalUnsubscribeLifted,
    e.ContactHardBounced,
    e.ContactHardBounceLifted,
    e.ContactComplained,
    e.ContactComplaintLifted,
    e.ContactVerified,
    e.ContactVerificationWithdrawn,
    e.ContactCategoryEnabled,
    e.ContactCategoryDisabled,
    e.ContactErased,
)
"""Facts that say whether mail is wanted, or may be sent."""

ActorKind = Literal["client", "person", "operator", "ses", "system", "another_organization"]
ACTORS: Final[dict[str, ActorKind]] = {
    "api": "client",
    "import": "client",
    "person": "person",
    "operator": "operator",
    "cli": "operator",
    "ses": "ses",
}
"""Who stands behind a source; the service itself behind any other."""


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where an event came from, as its envelope in the log says."""

    position: int
    organization_id: int
    client_id: int
    correlation_id: UUID
    source: str


class Slugs(msgspec.Struct, frozen=True):
    """What audiences and clients are called, by their numbers."""

    audiences: Mapping[int, str]
    clients: Mapping[int, str]


class Actor(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who acted; ``client`` is the slug of an acting client."""

    kind: ActorKind
    client: str | None = None


class Fact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact. ``audience`` and ``client`` are the scope's slugs; without a client it is the audience as a whole.

    A ``reason`` that was there is ``withheld`` when it was erased; another organization's words never appear.
    ``status``, with the time of the unsubscribe that it may be, is what a subscription was put back to.
    ``contact_gone`` is an erasure with which the contact itself ended.
    """

    position: int
    at: datetime
    fact: str
    actor: Actor
    source: str | None = None
    correlation_id: UUID | None = None
    audience: str | None = None
    client: str | None = None
    status: SubscriptionStatus | None = None
    unsubscribed_at: datetime | None = None
    verified_at: datetime | None = None
    category: str | None = None
    label: str | None = None
    reason: str | None = None
    withheld: Literal["erased"] | None = None
    contact_gone: bool = False


History = Sequence[tuple[Origin, Event]]


def proof(
    history: History,
    *,
    contact_id: int,
    organization: tuple[int, str],
    slugs: Slugs,
    position: int,
    issued_at: datetime | str,
) -> Json | None:
    """The document for an organization (its number and slug) as of a position; None when it never had a relation."""
    own, slug = organization
    until = [(origin, event) for origin, event in history if origin.position <= position]
    if not any(origin.organization_id == own for origin, _ in until):
        return None
    state = folded(event for _, event in until)
    header = {
        "format": FORMAT,
        "contact_id": contact_id,
        "email": _email(state, own),
        "organization": slug,
        "position": position,
        "issued_at": issued_at,
    }
    facts = [_fact(origin, event, own, slugs) for origin, event in _visible(until, state, own)]
    return chained(_plain(header), [_plain(fact) for fact in facts])


def _email(state: Contact, own: int) -> str | None:
    """The address, unless it is gone, or the organization's relation with it is."""
    if state.email is None or own not in state.organizations or state.email.redacted:
        return None
    return state.email.text


def _visible(history: History, state: Contact, own: int) -> list[tuple[Origin, Event]]:
    """The organization's own facts, and while it has a relation those that concern the contact everywhere.

    Of a contact that came back after an erasure, its own are those from after it.
    """
    related = own in state.organizations
    erased = last_erasure([event for _, event in history], own) if related else -1
    return [
        (origin, shown)
        for place, (origin, event) in enumerate(history)
        if isinstance(event, CONSENT)
        and (place > erased or origin.organization_id != own)
        and (related or origin.organization_id == own)
        and (shown := disclosed(event, recorded_by=origin.organization_id, to=own)) is not None
    ]


def _fact(origin: Origin, event: Event, own: int, slugs: Slugs) -> Fact:
    reason: Personal | None = getattr(event, "reason", None)
    erased = reason is not None and reason.redacted
    whole = origin.organization_id in (own, 0)
    return Fact(
        position=origin.position,
        at=event.at,
        fact=EVENT_TYPES[type(event)].name,
        actor=_actor(origin, slugs) if whole else Actor("another_organization"),
        source=origin.source if whole else None,
        correlation_id=origin.correlation_id if whole else None,
        audience=slugs.audiences.get(getattr(event, "audience_id", 0)),
        client=slugs.clients.get(getattr(event, "client_id", 0)),
        status=getattr(event, "status", None),
        unsubscribed_at=getattr(event, "unsubscribed_at", None),
        verified_at=getattr(event, "verified_at", None),
        category=getattr(event, "tag", None),
        label=getattr(event, "label", None),
        reason=None if reason is None or erased else reason.text,
        withheld="erased" if erased else None,
        contact_gone=isinstance(event, e.ContactErased) and event.last,
    )


def _actor(origin: Origin, slugs: Slugs) -> Actor:
    kind = ACTORS.get(origin.source, "system")
    return Actor(kind, slugs.clients.get(origin.client_id) if kind == "client" else None)


def _plain(value: Any) -> Json:
    plain: Json = msgspec.to_builtins(value)
    return plain
