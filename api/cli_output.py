"""What a command writes to the terminal, and how it fails."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence


class CommandError(Exception):
    """A command cannot be carried out; the message is for the terminal."""


def say(line: str) -> None:
    """Write a line."""
    sys.stdout.write(f"{line}\n")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows under their heads, in columns."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        say("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
