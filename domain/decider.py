"""The decider pattern: events, refusals, and what binds ``decide`` and ``evolve`` of one kind of thing together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec

State = TypeVar("State")


class Event(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A fact in the past tense. ``at`` is when it happened, in UTC: the time comes with the command."""

    at: datetime

    @property
    def forgets(self) -> tuple[int, ...]:
        """The organizations whose key for the contact dies with this event; 0 is the contact's own key."""
        return ()

    @property
    def keeps(self) -> int:
        """Flags that stay with the hash of the natural key that dies; what they mean is the kind's own affair."""
        return 0


E = TypeVar("E", bound=Event)


class EventType(msgspec.Struct, frozen=True):
    """The stable identity of an event class in the log, apart from its Python path."""

    name: str
    version: int
    cls: type[Event]

    @property
    def topic(self) -> str:
        """The form that stands in the log's ``topic`` column: ``contact.tagged@1``."""
        return f"{self.name}@{self.version}"


Upcaster = Callable[[dict[str, Any]], dict[str, Any]]
EVENT_TYPES: dict[type[Event], EventType] = {}
UPCASTERS: dict[str, Upcaster] = {}


def event(name: str, version: int = 1) -> Callable[[type[E]], type[E]]:
    """Register an event class under its stable name and version."""

    def register(cls: type[E]) -> type[E]:
        EVENT_TYPES[cls] = EventType(name, version, cls)
        return cls

    return register


def upcaster(name: str, version: int) -> Callable[[Upcaster], Upcaster]:
    """Register the function that turns the data of this version into that of the next one."""

    def register(function: Upcaster) -> Upcaster:
        UPCASTERS[f"{name}@{version}"] = function
        return function

    return register


class Rejected(Exception):
    """The only refusal: the command breaks a rule. ``fields`` maps dotted field names to error codes."""

    def __init__(self, code: str, field: str, **more: str) -> None:
        super().__init__(code, field)
        self.fields = {field: code, **more}

    @classmethod
    def of(cls, fields: dict[str, str]) -> Rejected:
        """Refuse several fields at once. ``fields`` must not be empty."""
        (field, code), *rest = fields.items()
        return cls(code, field, **dict(rest))


class Decider(msgspec.Struct, Generic[State], frozen=True):
    """One kind of thing: its number in stream ids, its initial state, and its two pure functions.

    ``decide(state, command)`` gives the events, none when it is already so, or raises Rejected.
    ``evolve(state, event)`` is total and never raises. ``snapshot_version`` is raised whenever the state's shape
    changes: older snapshots are then ignored. ``remembered(flags)`` is the state before anything happened to a thing
    whose natural key was another's before, of which an event kept flags.
    """

    kind: int
    name: str
    initial: State
    decide: Callable[[State, Any], tuple[Event, ...]]
    evolve: Callable[[State, Event], State]
    snapshot_version: int = 1
    remembered: Callable[[int], State] | None = None
