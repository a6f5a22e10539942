"""Figures beside other figures: a large log beside a small one, and two loads in turns."""

from collections.abc import Sequence
from itertools import chain
from typing import Any, cast

import pytest

from bench.alternating import TURNS, Turns, alternately
from bench.beside import LIMIT, beside
from bench.catalog import ROWS
from bench.load.job import Report
from bench.measuring import Outcome, Result
from bench.stand import Stand


def figure(name: str, unit: str, median: float, *, at_least: bool = True, limit: float | None = None) -> Outcome:
    share = None if limit is None else median / limit
    return Outcome(name, unit, None, at_least, [median], median, limit, "empty handler" if limit else "", share, None)


def result(*outcomes: Outcome, failed: str = "") -> Result:
    return Result("tag", "a tag", "direct", list(outcomes), failed=failed)


def test_a_rate_may_fall_and_a_time_may_grow_by_a_fifth() -> None:
    small = result(figure("rate", "/s", 5_000), figure("p99", "ms", 10), figure("lag", "ms", 10, at_least=False))
    large = result(figure("rate", "/s", 4_100), figure("p99", "ms", 12.5), figure("lag", "ms", 11, at_least=False))
    rate, p99, lag = beside(large, small).outcomes
    assert (rate.goal, rate.at_least, rate.limit, rate.limit_name, rate.met) == (4_000, True, 5_000, LIMIT, True)
    assert rate.share == pytest.approx(0.82)
    assert (p99.goal, p99.at_least, p99.met) == (12, False, False)
    assert (lag.goal, lag.at_least, lag.met) == (12, False, True)


def test_what_the_machine_could_do_is_still_told() -> None:
    found = beside(result(figure("rate", "/s", 4_000, limit=20_000)), result(figure("rate", "/s", 4_000)))
    assert found.notes == ["rate: 20% of 20,000 empty handler"]


def test_memory_is_not_compared_and_nothing_is_without_the_other() -> None:
    large = result(figure("peak", "MB", 300))
    assert beside(large, result(figure("peak", "MB", 100))) == large
    assert beside(large, None) == large
    assert beside(large, result(failed="it broke")) == large
    assert beside(result(failed="it broke"), large) == result(failed="it broke")


def test_every_row_on_the_large_log_that_names_another_is_that_row() -> None:
    rows = {row.name: row for row in ROWS}
    repeated = [row for row in ROWS if row.beside]
    assert all((row.log, rows[row.beside].log) == ("large", "small") for row in repeated)
    assert all(row.figures == rows[row.beside].figures for row in repeated)
    assert {row.beside for row in repeated} >= {
        "upsert-new",
        "visible-kafka-500",
        "import-new",
        "log-append",
        "page-deep",
    }


class Loaded:
    """A stand that notes what it sends, and answers a request a second."""

    def __init__(self) -> None:
        self.sent: list[list[bytes]] = []

    def settle(self) -> None:
        pass

    def load(self, requests: Sequence[bytes], **_: Any) -> Report:
        self.sent.append(list(requests))
        count = len(requests)
        return Report(good=count, statuses={200: count}, seconds=count, p50=count, p99=9, worst=9, cpu_seconds=0)


def test_two_loads_take_turns_and_send_everything_once() -> None:
    stand = Loaded()
    small, large = [b"s%d" % n for n in range(8)], [b"l%d" % n for n in range(4)]
    turns = alternately(cast("Stand", stand), {"small": small, "large": large})
    assert [part[0][:1] for part in stand.sent] == [b"s", b"l", b"l", b"s", b"s", b"l", b"l", b"s"]
    assert sorted(chain.from_iterable(stand.sent)) == sorted(small + large)
    assert len(stand.sent) == 2 * TURNS
    assert turns["small"] == Turns(8, 1.0, 2, 9)
    assert turns["large"] == Turns(4, 1.0, 1, 9)
