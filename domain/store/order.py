"""What the store is asked to do, and what became of it."""

from __future__ import annotations

from random import Random
from typing import Any
from uuid import UUID

import msgspec

from domain.decider import Decider, Event, Rejected
from domain.store.idempotency import Remember, Remembered

_IDS = Random()  # noqa: S311 - names of requests open nothing


def new_correlation_id() -> UUID:
    """Name what is about to happen; no secret, so that the fast generator will do."""
    return UUID(int=_IDS.getrandbits(128), version=4)


class Context(msgspec.Struct, frozen=True, kw_only=True):
    """Who acts, and for whom: the envelope of the events that come of a command.

    ``organization_id`` 0 is the system itself; ``client_id`` is the client whose scope the events belong to (0: none);
    ``causation_id`` is the position of the event that caused the command; ``source`` names where it came from (``api``,
    ``import``, ``operator``, ``person``, ``ses``, ``planner``, ``sender``).
    """

    organization_id: int = 0
    client_id: int = 0
    correlation_id: UUID = msgspec.field(default_factory=new_correlation_id)
    causation_id: int | None = None
    source: str = "api"


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A command and the stream it is for, named by its natural ``key`` or by its ``number``.

    ``contact_id`` says which contact a stream of another kind concerns: it seals that contact's data and keys the
    event on Kafka. ``remember`` keeps the answer in the same transaction; one given before is the outcome then.
    """

    decider: Decider[Any]
    command: Any
    context: Context
    key: str | None = None
    number: int | None = None
    contact_id: int = 0
    remember: Remember | None = None


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


class Unavailable(Exception):
    """The log could not be reached, or the connection was lost before it answered: the outcome is then unknown."""


class Contended(Exception):
    """Other writers won the race for the stream every time; nothing was written."""


class Failed(msgspec.Struct, frozen=True):
    """The command could not be carried out, by :class:`Unavailable`, :class:`Contended`, or a defect."""

    error: Exception


Outcome = Accepted | Refused | Remembered | Failed


class Loaded(msgspec.Struct, frozen=True, kw_only=True):
    """A stream's state as of a moment; ``version`` 0 when it had no event then. ``position`` is the log's head."""

    number: int
    version: int
    state: Any
    position: int
