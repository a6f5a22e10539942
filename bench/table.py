"""The one table in which a run of the bench ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.measuring import Outcome, Result

HEADERS = ("what", "goal", "median", "min..max", "limit of this machine", "of it", "met")
LEFT = {0, 4}
DETAILED = 100
"""Numbers from here on are shown whole."""


def number(value: float) -> str:
    """A number as people read it: three digits or more are whole."""
    return f"{value:,.0f}" if abs(value) >= DETAILED else f"{value:.3g}"


def cells(outcome: Outcome) -> tuple[str, ...]:
    """A figure's line."""
    sign = "≥" if outcome.at_least else "≤"
    spread = f"{number(min(outcome.values))}..{number(max(outcome.values))}" if len(outcome.values) > 1 else ""
    limit = "" if outcome.limit is None else f"{number(outcome.limit)} {outcome.limit_name}"
    return (
        f"  {outcome.name}",
        "" if outcome.goal is None else f"{sign} {number(outcome.goal)}",
        f"{number(outcome.median)} {outcome.unit}",
        spread,
        limit,
        "" if outcome.share is None else f"{outcome.share:.0%}",
        {None: "", True: "yes", False: "NO"}[outcome.met],
    )


def lines_of(results: Iterable[Result]) -> list[tuple[str, ...]]:
    """Every line as cells; a line of one cell takes the whole width."""
    lines: list[tuple[str, ...]] = [HEADERS]
    for result in results:
        lines.append((f"{result.title} ({result.name})",))
        if result.failed:
            lines.append((f"  FAILED: {result.failed}",))
        lines.extend(cells(outcome) for outcome in result.outcomes)
        lines.extend((f"    {note}",) for note in result.notes)
    return lines


def aligned(line: Sequence[str], widths: Sequence[int]) -> str:
    """Put cells under their headers, numbers to the right."""
    if len(line) == 1:
        return line[0]
    padded = [
        cell.ljust(width) if place in LEFT else cell.rjust(width)
        for place, (cell, width) in enumerate(zip(line, widths, strict=True))
    ]
    return "  ".join(padded).rstrip()


def rendered(results: Sequence[Result]) -> str:
    """The table as text."""
    lines = lines_of(results)
    columns = zip(*(line for line in lines if len(line) > 1), strict=True)
    widths = [max(map(len, column)) for column in columns]
    head, *rest = (aligned(line, widths) for line in lines)
    return "\n".join([head, "-" * (sum(widths) + 2 * (len(widths) - 1)), *rest])


def summary(results: Sequence[Result]) -> str:
    """How many goals are met, and which are not."""
    judged = [(result, outcome) for result in results for outcome in result.outcomes if outcome.met is not None]
    missed = [f"{result.name} {outcome.name}" for result, outcome in judged if not outcome.met]
    failed = [result.name for result in results if result.failed]
    words = [f"{len(judged) - len(missed)} of {len(judged)} goals met"]
    words += [f"missed: {', '.join(missed)}"] if missed else []
    words += [f"failed: {', '.join(failed)}"] if failed else []
    return "; ".join(words)
