"""Undoing an import: what a contact has of it and nobody changed since goes back to what it was before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

import msgspec

from domain import contact
from domain.contact import Contact, EmailValidation, Subscription
from domain.contact import events as e
from domain.contact.events import ContactSubscriptionRestored, ContactSubscriptionWithdrawn
from domain.decider import Decider, Event
from domain.personal import Personal

Aspect = Literal["subscriptions", "tags", "suppressions", "validations"]
Facet = tuple[Any, ...]
"""An aspect, and what names one thing in it: scope, audience and slug, or flag and organization."""

Author = Literal["import", "undo", "other"]
LIFTED: Final[dict[str, type[Any]]] = {
    "global_unsubscribes": e.ContactGlobalUnsubscribeLifted,
    "hard_bounces": e.ContactHardBounceLifted,
    "complaints": e.ContactComplaintLifted,
}
"""A file only ever sets suppressions, so undoing it lifts them."""


class Reversal(NamedTuple):
    """A facet that goes back from what the import made of it to what it was; None is absence."""

    facet: Facet
    imported: Any
    before: Any


class Plan(NamedTuple):
    """What is to be reversed, and the facets that somebody changed since."""

    reversals: tuple[Reversal, ...]
    left_alone: tuple[Facet, ...]


class UndoImport(msgspec.Struct, frozen=True, kw_only=True):
    """Reverse what is still as the import left it."""

    at: datetime
    reversals: tuple[Reversal, ...]


def facets(state: Contact) -> dict[Facet, Any]:
    """All of a contact that an import can have changed."""
    found: dict[Facet, Any] = {("subscriptions", *scope): each for scope, each in state.subscriptions.items()}
    found |= {("tags", audience, slug): True for audience, slugs in state.tags.items() for slug in slugs}
    for flag in LIFTED:
        found |= {("suppressions", flag, owner): each for owner, each in getattr(state, flag).items()}
    if state.validation != EmailValidation():
        found["validations",] = state.validation
    return found


def plan(history: Iterable[tuple[Author, Event]]) -> Plan:
    """What of a contact's whole history is to be undone."""
    state = Contact()
    before: dict[Facet, Any] = {}
    touched: set[Facet] = set()
    now = facets(state)
    for author, event in history:
        state = contact.evolve(state, event)
        then, now = now, facets(state)
        changed = {facet for facet in then.keys() | now.keys() if then.get(facet) != now.get(facet)}
        if author == "import":
            before = {**{facet: then.get(facet) for facet in changed}, **before}
        elif author == "other":
            touched |= changed & before.keys()
    other = [facet for facet in sorted(before, key=str, reverse=True) if now.get(facet) != before[facet]]
    kept = {facet for facet in other if facet in touched or _in_use(facet, before, now, touched)}
    reversals = tuple(Reversal(facet, now.get(facet), before[facet]) for facet in other if facet not in kept)
    return Plan(reversals, tuple(facet for facet in other if facet in kept))


def _in_use(facet: Facet, before: dict[Facet, Any], now: dict[Facet, Any], touched: set[Facet]) -> bool:
    """Tell whether a subscription that would go bears tags of others: they would lose their place."""
    if facet[0] != "subscriptions" or before[facet] is not None:
        return False
    audience = facet[1]
    if any(each[:2] == facet[:2] and before.get(each, each) is not None for each in now):
        return False
    return any(
        each[0] == "tags" and each[1] == audience and (before.get(each, True) or each in touched) for each in now
    )


def decide(state: Contact, command: UndoImport) -> tuple[Event, ...]:
    """Give the facts that take the import back; what changed meanwhile stays."""
    now = facets(state)
    still = [each for each in command.reversals if now.get(each.facet) == each.imported]
    return tuple(fact for each in still for fact in _facts(each, command.at))


def _facts(reversal: Reversal, at: datetime) -> Iterator[Event]:
    aspect, *name = reversal.facet
    match aspect:
        case "subscriptions":
            yield _subscription(name[0], name[1], reversal.before, at)
        case "tags":
            yield e.ContactUntagged(at=at, audience_id=name[0], slugs=(name[1],))
        case "suppressions":
            yield LIFTED[name[0]](at=at, organization_id=name[1])
        case "validations":
            yield _validation(reversal.imported, reversal.before or EmailValidation(), at)


def _subscription(audience_id: int, client_id: int, before: Subscription | None, at: datetime) -> Event:
    if before is None:
        return ContactSubscriptionWithdrawn(at=at, audience_id=audience_id, client_id=client_id)
    return ContactSubscriptionRestored(
        at=at,
        organization_id=before.organization_id,
        audience_id=audience_id,
        client_id=client_id,
        status=before.status,
        verified_at=before.verified_at,
        unsubscribed_at=before.unsubscribed_at,
        reason=_again(before.reason),
    )


def _validation(imported: EmailValidation, before: EmailValidation, at: datetime) -> Event:
    """The verdict as it was. Another organization's words cannot be said again in this one's name: they go."""
    own = before.organization_id in (0, imported.organization_id)
    reason = Personal("") if imported.reason is not None else None
    return e.ContactEmailValidated(
        at=at,
        organization_id=imported.organization_id,
        status=before.status,
        validated_at=before.validated_at,
        reason=_again(before.reason) or reason if own else reason,
    )


def _again(words: Personal | None) -> Personal | None:
    return Personal(words.text) if words is not None and words.text else None


decider: Final = Decider(
    kind=contact.decider.kind,
    name=contact.decider.name,
    initial=contact.decider.initial,
    decide=decide,
    evolve=contact.decider.evolve,
    snapshot_version=contact.decider.snapshot_version,
)
