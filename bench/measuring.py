"""Runs a row several times and sums its samples up."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import msgspec
import psycopg

from bench.load.process import LoadError
from bench.row import Figure, Row, RowFailed, Sample
from bench.stand import Stand
from config.local.program import StartError


class Outcome(msgspec.Struct, frozen=True):
    """A figure over all runs. ``share`` is the median as a part of the limit's, ``met`` None without a goal."""

    name: str
    unit: str
    goal: float | None
    at_least: bool
    values: list[float]
    median: float
    limit: float | None
    limit_name: str
    share: float | None
    met: bool | None


class Result(msgspec.Struct, frozen=True):
    """A row over all runs; with ``failed`` it has no figures."""

    name: str
    title: str
    feed: str
    outcomes: list[Outcome]
    notes: list[str] = []
    failed: str = ""


def measured(row: Row, stand: Stand, runs: int) -> Result:
    """Prepare and run a row. One that fails says why, and the others go on."""
    try:
        if row.prepare is not None:
            row.prepare(stand)
        samples = []
        for number in range(row.runs or runs):
            stand.settle()
            samples.append(row.measure(stand, number))
    except (RowFailed, LoadError, StartError, psycopg.Error, OSError) as error:
        return Result(row.name, row.title, row.feed, [], failed=f"{type(error).__name__}: {error}")
    outcomes = [outcome(figure, samples) for figure in row.figures]
    return Result(row.name, row.title, row.feed, outcomes, notes=samples[-1].notes)


def outcome(figure: Figure, samples: Sequence[Sample]) -> Outcome:
    """Sum a figure up."""
    values = [sample.values[figure.name] for sample in samples]
    limits = [sample.limits[figure.name] for sample in samples if figure.name in sample.limits]
    middle, limit, goal = median(values), median(limits) if limits else None, figure.goal
    return Outcome(
        name=figure.name,
        unit=figure.unit,
        goal=goal.bound if goal else None,
        at_least=goal.at_least if goal else True,
        values=values,
        median=middle,
        limit=limit,
        limit_name=figure.limit,
        share=middle / limit if limit else None,
        met=goal.met(middle) if goal else None,
    )
