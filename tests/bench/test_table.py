"""The table: figures over runs, goals met and missed, rows that failed."""

from typing import cast

import pytest

from bench.catalog import ROWS, chosen
from bench.measuring import measured, outcome
from bench.row import Figure, Row, RowFailed, Sample, at_least, at_most
from bench.stand import Stand
from bench.table import number, rendered, summary

RATE = Figure("rate", "/s", at_least(4_000), "empty handler")
P99 = Figure("p99", "ms", at_most(40))


class Still:
    """A stand on which nothing goes on."""

    def settle(self) -> None:
        pass


STAND = cast("Stand", Still())
SAMPLES = [
    Sample({"rate": 3_000.0, "p99": 50.0}, {"rate": 9_000.0}),
    Sample({"rate": 5_000.0, "p99": 39.5}, {"rate": 11_000.0}),
    Sample({"rate": 4_400.0, "p99": 12.25}, {"rate": 10_000.0}, ["a note"]),
]


def a_row(figures: tuple[Figure, ...] = (RATE, P99)) -> Row:
    return Row(name="upsert", title="an upsert", figures=figures, measure=lambda _, run: SAMPLES[run])


def test_a_figure_is_the_median_of_its_runs_beside_the_median_limit() -> None:
    rate = outcome(RATE, SAMPLES)
    assert (rate.median, rate.limit, rate.met) == (4_400, 10_000, True)
    assert rate.share == pytest.approx(0.44)
    assert outcome(P99, SAMPLES[:1]).met is False
    assert outcome(Figure("p99", "ms"), SAMPLES).met is None


def test_the_table_shows_goal_median_spread_limit_and_verdict() -> None:
    head, _, title, rate, p99, note = rendered([measured(a_row(), STAND, 3)]).splitlines()
    assert head.split("  ")[0] == "what"
    assert title == "an upsert (upsert)"
    assert " ".join(rate.split()) == "rate ≥ 4,000 4,400 /s 3,000..5,000 10,000 empty handler 44% yes"
    assert " ".join(p99.split()) == "p99 ≤ 40 39.5 ms 12.2..50 yes"
    assert note.strip() == "a note"


def test_a_row_that_fails_says_why_and_has_no_figures() -> None:
    def measure(_: Stand, run: int) -> Sample:
        if run == 1:
            raise RowFailed("3 of 20 answers failed")
        return SAMPLES[0]

    result = measured(Row(name="bad", title="bad", figures=(RATE,), measure=measure), STAND, 3)
    assert result.outcomes == []
    assert "FAILED: RowFailed: 3 of 20 answers failed" in rendered([result])
    assert summary([result, measured(a_row(), STAND, 1)]) == (
        "0 of 2 goals met; missed: upsert rate, upsert p99; failed: bad"
    )


def test_numbers_are_short() -> None:
    assert [number(value) for value in (0.1234, 9.876, 39.96, 99.9, 100.0, 1234567.8)] == [
        "0.123",
        "9.88",
        "40",
        "99.9",
        "100",
        "1,234,568",
    ]


def test_rows_are_chosen_by_name() -> None:
    names = [row.name for row in ROWS]
    assert len(names) == len(set(names))
    assert [row.name for row in chosen(["status", "upsert-new"])] == ["status", "upsert-new"]
    assert chosen([]) == list(ROWS)
    with pytest.raises(KeyError, match="nothing"):
        chosen(["nothing"])
