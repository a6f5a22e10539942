"""What is different about a contact between two moments of its history, as one client sees it."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

import msgspec

from domain.contact.evolve import evolve
from domain.contact.state import Contact
from domain.contact.view import ContactPayload
from domain.decider import Event


class Change(msgspec.Struct, frozen=True):
    """A field of the contact payload, by its dotted path, that is not what it was. The tags are one field."""

    field: str
    before: Any
    after: Any


def folded(events: Iterable[Event]) -> Contact:
    """The contact that the events add up to."""
    return reduce(evolve, events, Contact())


def changes(before: ContactPayload, after: ContactPayload) -> list[Change]:
    """The fields that differ, in the payload's order."""
    old, new = _flat(before), _flat(after)
    return [Change(field, old[field], value) for field, value in new.items() if old[field] != value]


def _flat(payload: msgspec.Struct, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(payload).items():
        if isinstance(value, msgspec.Struct):
            flat |= _flat(value, f"{prefix}{name}.")
        else:
            flat[prefix + name] = value
    return flat
