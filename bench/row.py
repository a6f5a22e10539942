"""A row of the table: what is measured, in which figures, with which goals."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from bench.stand import Stand

Feed = Literal["direct", "kafka"]
"""How consumers follow the log."""

Log = Literal["small", "large"]
"""Whether rows begin on an empty log, or on one of millions of events."""


class Goal(msgspec.Struct, frozen=True):
    """A bound for the median of the runs (design, Numbers to reach)."""

    bound: float
    at_least: bool

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value >= self.bound if self.at_least else value <= self.bound


def at_least(bound: float) -> Goal:
    """More is better."""
    return Goal(bound, at_least=True)


def at_most(bound: float) -> Goal:
    """Less is better."""
    return Goal(bound, at_least=False)


class Figure(msgspec.Struct, frozen=True):
    """One number of a row. ``limit`` names what bounds it on this machine, when a sample measures that too."""

    name: str
    unit: str
    goal: Goal | None = None
    limit: str = ""


class Sample(msgspec.Struct, frozen=True):
    """One run: values and limits by the figures' names, and what else is worth saying."""

    values: dict[str, float]
    limits: dict[str, float] = {}
    notes: list[str] = []


class RowFailed(Exception):
    """The row cannot be measured; the message says what went wrong."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """``name`` is for ``--only``; ``measure`` makes one run, the number of which (from 0) it gets.

    ``feed`` is what consumers follow meanwhile, ``log`` what stands in the log before. ``prepare`` makes what all runs
    stand on. ``runs`` is how many there are, 0 for as many as others have. ``beside`` names the row whose figures this
    one's are to be near.
    """

    name: str
    title: str
    figures: tuple[Figure, ...]
    measure: Callable[[Stand, int], Sample]
    feed: Feed = "direct"
    log: Log = "small"
    prepare: Callable[[Stand], None] | None = None
    runs: int = 0
    beside: str = ""
