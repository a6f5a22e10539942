"""Takes events out of a result of the log."""

from __future__ import annotations

from itertools import starmap
from typing import Any, Final

from psycopg import Cursor

from domain.store.recorded import Recorded

AT_ONCE: Final = 500


def taken(cursor: Cursor[Any]) -> list[Recorded]:
    """All events of a result, so many at a time as stay in the processor's cache: the driver's own walk is slower."""
    events: list[Recorded] = []
    while rows := cursor.fetchmany(AT_ONCE):
        events += starmap(Recorded, rows)
    return events
