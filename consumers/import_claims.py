"""Which process has which import in hand: an advisory lock, which a process that dies lets go of."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from consumers.session import Connection

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
