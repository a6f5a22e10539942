"""Compares a row on the large log with the same row on a small one: each figure is to be within a fifth of it."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from bench.measuring import Outcome, Result

WITHIN: Final = 0.2
"""How much worse a figure may be (design, Numbers to reach)."""
LIMIT: Final = "on the small log"
TIMES: Final = frozenset({"s", "ms"})
SIZES: Final = frozenset({"MB"})
"""Memory of a process that has lived on is no figure to compare."""


def beside(large: Result, small: Result | None) -> Result:
    """The row with the small log's medians as limits and with goals made of them; as it is when there is nothing."""
    if small is None or small.failed or large.failed:
        return large
    known = {outcome.name: outcome for outcome in small.outcomes}
    pairs = [(outcome, known.get(outcome.name)) for outcome in large.outcomes]
    outcomes = [outcome if other is None else compared(outcome, other) for outcome, other in pairs]
    limits = [limit_of(outcome) for outcome in large.outcomes if outcome.limit is not None]
    return replace(large, outcomes=outcomes, notes=[*limits, *large.notes])


def compared(large: Outcome, small: Outcome) -> Outcome:
    """A figure that is to be at most a fifth worse than the other."""
    at_least = large.at_least and large.unit not in TIMES
    share = large.median / small.median if small.median else None
    if large.unit in SIZES or share is None:
        return large
    goal = small.median * (1 - WITHIN if at_least else 1 + WITHIN)
    return replace(
        large,
        goal=goal,
        at_least=at_least,
        limit=small.median,
        limit_name=LIMIT,
        share=share,
        met=large.median >= goal if at_least else large.median <= goal,
    )


def limit_of(outcome: Outcome) -> str:
    """What the machine could do at best at the same time, in words."""
    return f"{outcome.name}: {outcome.share or 0:.0%} of {outcome.limit or 0:,.0f} {outcome.limit_name}"
