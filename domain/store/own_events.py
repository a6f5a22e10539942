"""Events as the organization that they belong to may read them: without the addresses that it had erased.

An address lives under the contact's own key, which outlasts the erasure by one organization of several.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from domain import contact
from domain.decider import Event
from domain.personal import Address
from domain.store.log import Store
from domain.store.recorded import Recorded


def open_own(store: Store, events: Sequence[Recorded]) -> list[tuple[Recorded, Event]]:
    """Decode events, each for its own organization. Raises UnknownEvent, Unavailable, OperationalError."""
    opened = store.open(events)
    bearers = {r.contact_id for r, event in opened if r.contact_id and _addresses(store, event)}
    if not bearers:
        return opened
    numbers = sorted(bearers)
    known = store.load(contact.decider, numbers=numbers)
    related = {number: each.state.organizations for number, each in zip(numbers, known, strict=True)}
    return [(r, _hidden(store, r, event, related.get(r.contact_id, frozenset()))) for r, event in opened]


def _addresses(store: Store, event: Event) -> list[str]:
    """The fields that bear an address."""
    return [field for field, own in store.mapper.personal_of(event) if own and getattr(event, field) is not None]


def _hidden(store: Store, recorded: Recorded, event: Event, related: frozenset[int]) -> Event:
    if recorded.organization_id in related:
        return event
    return replace(event, **{field: Address(None) for field in _addresses(store, event)})
