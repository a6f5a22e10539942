"""Shares imports out among processes: each is held by an advisory lock, which a process that dies lets go of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event as Flag
from typing import Final
from uuid import UUID

from eventsourcing.persistence import OperationalError

from consumers.session import WAIT, Connection, connect, wait
from domain.store.order import Contended, Unavailable
from domain.store.uploads import CHANNEL

CLAIM: Final = "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))"
RELEASE: Final = "SELECT pg_advisory_unlock(hashtextextended(%s, 0))"


@contextmanager
def claimed(connection: Connection, name: str) -> Iterator[bool]:
    """Hold the name for the length of a ``with`` block, unless somebody else does: that is given."""
    row = connection.execute(CLAIM, (name,)).fetchone()
    free = bool(row and row[0])
    try:
        yield free
    finally:
        if free and not connection.closed:
            connection.execute(RELEASE, (name,))


def follow(conninfo: str, name: str, look: Callable[[Connection, Flag], None], stop: Flag) -> None:
    """Look whenever files may have come, until stopped. Raises what a lost database raises."""
    with connect(conninfo, name) as connection:
        connection.execute(f"LISTEN {CHANNEL}")
        while not stop.is_set():
            look(connection, stop)
            wait(connection, WAIT)


@contextmanager
def in_hand(connection: Connection, name: str, upload: UUID, stop: Flag) -> Iterator[bool]:
    """Hold a file for the length of a ``with`` block, unless somebody else does or it is time to stop: that is given.

    Raises OperationalError for what the log could not take within: the next session goes on.
    """
    with claimed(connection, f"{name} {upload}") as free:
        try:
            yield free and not stop.is_set()
        except (Unavailable, Contended) as error:
            raise OperationalError from error
