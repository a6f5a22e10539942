"""Two loads in turns, so that what disturbs the machine disturbs both alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

from bench.load.job import Report
from bench.stand import Stand

TURNS: Final = 4
"""Of each. The order turns round each time, so that a drift is shared too."""


class Turns(NamedTuple):
    """What came of one load over all its turns; latencies are the medians of the turns', in milliseconds."""

    good: int
    per_second: float
    p50: float
    p99: float


def alternately(
    stand: Stand,
    loads: Mapping[str, Sequence[bytes]],
    around: Callable[[str, Callable[[], Report]], Report] = lambda _, load: load(),
    **how: Any,
) -> dict[str, Turns]:
    """Send each load's requests in turns; ``around`` may do something before and after each. Raises RowFailed."""
    reports: dict[str, list[Report]] = {name: [] for name in loads}
    for turn in range(TURNS):
        names = list(loads) if turn % 2 == 0 else list(loads)[::-1]
        for name in names:
            requests = loads[name][turn::TURNS]

            def load(requests: Sequence[bytes] = requests) -> Report:
                return stand.load(requests, **how)

            stand.settle()
            reports[name].append(around(name, load))
    return {name: summed(turns) for name, turns in reports.items()}


def summed(reports: Sequence[Report]) -> Turns:
    """All turns of one load."""
    good, seconds = sum(report.good for report in reports), sum(report.seconds for report in reports)
    p50, p99 = median(report.p50 for report in reports), median(report.p99 for report in reports)
    return Turns(good, good / seconds, p50, p99)
