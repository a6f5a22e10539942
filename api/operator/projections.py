"""Read models, for operators: how far they are, and to have them rebuilt, verified or tried again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec
import psycopg

from api.answer import Answer, json_answer
from api.call import Call
from api.errors import Invalid, not_found
from projections import checkpoint
from projections.projection import Projection
from projections.rebuild.journal import Purpose
from projections.rebuild.rebuilding import read_model
from projections.rebuild.refusals import RunningError, UnknownModelError
from projections.rebuild.request import ask
from projections.rebuild.status import Status, statuses

NAME: Final = "name"

Connection = psycopg.Connection[Any]
T = TypeVar("T")


class Projections(msgspec.Struct):
    """All read models, by name."""

    projections: list[Status]


async def list_all(call: Call) -> Answer:
    """How far each read model is, and what is being built for it."""
    return json_answer(Projections(await within(call, statuses)))


async def show(call: Call) -> Answer:
    """How far one is."""
    return json_answer(await within(call, lambda connection: status_of(connection, named(call))))


async def rebuild(call: Call) -> Answer:
    """Have a read model built anew beside the live one and put in its place; the consumer ``rebuilder`` does it."""
    return await asked(call, "rebuild")


async def verify(call: Call) -> Answer:
    """Have a read model compared with the log; what was found stands in the outcome."""
    return await asked(call, "verify")


async def unpark(call: Call) -> Answer:
    """Have a parked read model try again; one that is not parked is left as it is."""
    projection = named(call)

    def tried(connection: Connection) -> Status:
        checkpoint.unpark(connection, projection.name)
        return status_of(connection, projection)

    return json_answer(await within(call, tried))


async def asked(call: Call, purpose: Purpose) -> Answer:
    """Leave word for the rebuilder. Raises Invalid ``rebuild_running`` while this read model is rebuilt or verified, or
    the other of the two is asked for.
    """
    projection = named(call)

    def left(connection: Connection) -> Status:
        last = status_of(connection, projection).rebuild
        if last and last.running:
            raise Invalid({NAME: "rebuild_running"})
        try:
            ask(connection, projection, purpose)
        except RunningError:
            raise Invalid({NAME: "rebuild_running"}) from None
        return status_of(connection, projection)

    return json_answer(await within(call, left), status=202)


def named(call: Call) -> Projection:
    """The read model that the path names. Raises Invalid ``not_found``."""
    try:
        return read_model(call.given_names[NAME])
    except UnknownModelError:
        raise not_found(NAME) from None


def status_of(connection: Connection, projection: Projection) -> Status:
    """The status of one read model."""
    return next(status for status in statuses(connection) if status.name == projection.name)


async def within(call: Call, run: Callable[[Connection], T]) -> T:
    """Run it in a session of its own, on another thread. Raises psycopg's OperationalError."""

    def connected() -> T:
        with psycopg.connect(call.wiring.settings.database_url, autocommit=True, connect_timeout=3) as connection:
            return run(connection)

    return await asyncio.to_thread(connected)
