"""What the store is asked to do, and what became of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgspec

from domain.decider import Decider, Event, Rejected


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and for whom: the envelope of the events that come of a command.

    ``organization_id`` 0 is the system itself; ``client_id`` is the client whose scope the events belong to (0: none);
    ``causation_id`` is the position of the event that caused the command; ``source`` names where it came from (``api``,
    ``import``, ``operator``, ``person``, ``ses``, ``planner``, ``sender``).
    """

    organization_id: int = 0
    client_id: int = 0
    correlation_id: UUID = msgspec.field(default_factory=uuid4)
    causation_id: int | None = None
    source: str = "api"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command and the stream it is for, named by its natural ``key`` or by its ``number``.

    ``contact_id`` says which contact a stream of another kind concerns: it seals that contact's data and keys the
    event on Kafka.
    """

    decider: Decider[Any]
    command: Any
    context: Context
    key: str | None = None
    number: int | None = None
    contact_id: int = 0


class Accepted(msgspec.Struct, frozen=True, kw_only=True):
    """The command holds. ``events`` is empty when it was already so; ``state`` includes them.

    ``position`` is that of the last event, or a position at which the state held when there is none.
    """

    number: int
    version: int
    state: Any
    events: tuple[Event, ...]
    position: int


class Refused(msgspec.Struct, frozen=True):
    """The command breaks a rule; nothing was written."""

    error: Rejected


class Failed(msgspec.Struct, frozen=True):
    """The command could not be carried out; whether it was is unknown when the error says so."""

    error: Exception


Outcome = Accepted | Refused | Failed
