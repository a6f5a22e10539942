"""Every row, in the order of the table. A new area is a file in ``rows`` and a line here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from bench.row import Row
from bench.rows import (
    campaigns,
    commands,
    exports,
    feedback,
    imports,
    log,
    moments,
    projections,
    rebuilds,
    transactional,
    visibility,
)

FIRST: Final[Sequence[Row]] = (*commands.ROWS, *visibility.ROWS, *imports.ROWS, *projections.ROWS, *log.ROWS)
LAST: Final[Sequence[Row]] = exports.ROWS
"""The largest read model comes last: what it leaves behind slows other rows."""


def on_large_log(row: Row) -> Row:
    """The same, on the large log."""
    title = f"{row.title}; a log of 10,000,000 events"
    return replace(row, name=f"{row.name}-10m", title=title, log="large", beside=row.name)


ROWS: Final[Sequence[Row]] = (
    *FIRST,
    *campaigns.ROWS,
    *transactional.ROWS,
    *feedback.ROWS,
    *moments.ROWS,
    *rebuilds.ROWS,
    *LAST,
    *rebuilds.LARGE,
    *map(on_large_log, (*FIRST, *LAST)),
)


def chosen(names: Sequence[str]) -> list[Row]:
    """The rows of these names, or all. Raises KeyError with the first name that is none."""
    known = {row.name: row for row in ROWS}
    return [known[name] for name in names] if names else list(ROWS)
