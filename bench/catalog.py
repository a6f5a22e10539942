"""Every row, in the order of the table. A new area is a file in ``rows`` and a line here."""

from __future__ import annotations

from collections.abc import Sequence

from bench.row import Row
from bench.rows import campaigns, commands, exports, feedback, imports, log, projections, visibility

ROWS: Sequence[Row] = (
    *commands.ROWS,
    *visibility.ROWS,
    *imports.ROWS,
    *projections.ROWS,
    *log.ROWS,
    *campaigns.ROWS,
    *feedback.ROWS,
    *exports.ROWS,  # the largest read model comes last: what it leaves behind slows other rows
)


def chosen(names: Sequence[str]) -> list[Row]:
    """The rows of these names, or all. Raises KeyError with the first name that is none."""
    known = {row.name: row for row in ROWS}
    return [known[name] for name in names] if names else list(ROWS)
