"""Read models that have one row for each stream: their fold is ``evolve(row, recorded, event) -> row``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar

import msgspec

from domain.store.recorded import Recorded
from projections.projection import RowFold, Rows, Table

ONLY: Final = 0
"""The place of a row that is alone in its group."""
NUMBER: Final = (1 << 96) - 1

R = TypeVar("R", bound=msgspec.Struct)
EvolveRow = Callable[[R | None, Recorded, Any], R | None]
"""Gives the row after an event, None while there is none; a row that it leaves alone stays the same object."""


def number(recorded: Recorded) -> int:
    """The number of the event's stream within its kind."""
    return recorded.stream.int & NUMBER


def only(_: object) -> int:
    """The place of a row in its group."""
    return ONLY


def alone(evolve: EvolveRow[R]) -> Callable[[Rows, Recorded, Any], Rows]:
    """The fold of a row as that of a group that has no other."""

    def evolve_rows(rows: Rows, recorded: Recorded, event: Any) -> Rows:
        before = rows.get(ONLY)
        after = evolve(before, recorded, event)
        return rows if after is before else {ONLY: after}

    return evolve_rows


def row_per_stream(*, table: str, row: type[R], key: str, kind: int, evolve: EvolveRow[R]) -> RowFold:
    """The fold into a table whose primary key is the number of a stream of the kind.

    Of an event's envelope ``evolve`` may look at the stream alone.
    """
    return RowFold(
        tables=(Table(name=table, row=row, key=(key,), group=key, place=only),),
        group_of=number,
        evolve=alone(evolve),
        streams=(kind,),
        reads=("stream",),
    )
