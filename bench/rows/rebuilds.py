"""Read models built from the log anew: the contacts, and those of campaigns, beside a raw read of that log."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from functools import partial
from typing import Final, NamedTuple, cast

import psycopg

from bench import processes
from bench.history.databases import PREPARED, with_history
from bench.limits import RAW_READ, raw_read
from bench.row import Figure, Log, Row, RowFailed, Sample, at_least
from bench.stand import Stand
from domain.decider import EVENT_TYPES
from projections.projection import Projection
from projections.rebuild.database import Database
from projections.rebuild.journal import Stage
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import read_model, rebuild

DATABASE: Final = "bench_history"
TOPICS: Final = "SELECT split_part(topic, '@', 1), count(*) FROM log GROUP BY 1"
MADE: Final[frozenset[Stage]] = frozenset({"filling", "indexing"})
"""The stages that end with all rows of the log in their tables, keys and indexes. Comparing and swapping follow."""
BESIDE_OTHERS: Final = "{}, while others are rebuilt"
USED: Final = ("python", "postgres")
EACH: Final = {1: "one process", 2: "two processes"}


class Rebuilt(NamedTuple):
    """A rebuild of one model: its own events, the seconds until they were in its rows, and those of each stage.

    ``python`` and ``postgres`` are seconds of processor time, over all stages.
    """

    events: int
    seconds: float
    stages: str
    python: float
    postgres: float

    @property
    def rate(self) -> float:
        """Events per second."""
        return self.events / self.seconds

    def __str__(self) -> str:
        each = [f"{name} {used / max(self.events, 1) * 1e6:.1f}" for name, used in zip(USED, self[-2:], strict=True)]
        return f"{self.events:,} events; seconds {self.stages}; processor time each, µs: {', '.join(each)}"


class Clock:
    """Watches a rebuild."""

    def __init__(self) -> None:
        self._began: list[tuple[Stage, float]] = []

    def __call__(self, progress: Progress) -> None:
        """Note when a stage begins."""
        if not self._began or self._began[-1][0] != progress.stage:
            self._began.append((progress.stage, time.perf_counter()))

    def end(self) -> dict[Stage, float]:
        """How long the stages took."""
        ends = [at for _, at in self._began[1:]] + [time.perf_counter()]
        return {stage: end - at for (stage, at), end in zip(self._began, ends, strict=True)}


def history(stand: Stand, log: Log) -> Database:
    """The database to rebuild in: the service's own, or one of a smaller log that nobody follows."""
    if log == "large":
        return stand.stack.database()
    make = partial(with_history, stand.stack, DATABASE, stand.scale.history)
    return cast("Database", stand.once(DATABASE, make))


def topics(stand: Stand, database: Database) -> dict[str, int]:
    """How many events the log has, by their names."""

    def make() -> dict[str, int]:
        with psycopg.connect(database.conninfo) as connection:
            return {name: int(count) for name, count in connection.execute(TOPICS)}

    return cast("dict[str, int]", stand.once(f"topics of {database.conninfo}", make))


def rebuilt(database: Database, model: Projection, counts: dict[str, int], workers: int, server: int) -> Rebuilt:
    """Rebuild a model; ``server`` is PostgreSQL's process. Raises RowFailed when the rows before were others."""
    clock, python, postgres = Clock(), own_seconds(), processes.cpu_seconds(server)
    comparison = rebuild(database, model, processes=workers, watch=clock)
    if comparison is not None and not comparison.equal:
        raise RowFailed(f"{model.name} was not as the log says")
    stages = clock.end()
    said = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in stages.items())
    made = sum(stages.get(stage, 0.0) for stage in MADE)
    used = (own_seconds() - python, processes.cpu_seconds(server) - postgres)
    return Rebuilt(folded(model, counts), made, said, *used)


def own_seconds() -> float:
    """Processor time of this process and of those that it started and that ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def folded(model: Projection, counts: dict[str, int]) -> int:
    """How many events are the model's."""
    return sum(counts.get(EVENT_TYPES[cls].name, 0) for cls in model.events)


def filled_in(stand: Stand) -> dict[str, float]:
    """The seconds in which each read model was filled before the service started."""
    return cast("dict[str, float]", stand.once(PREPARED, dict))


def measure(
    stand: Stand, _: int, *, log: Log, rebuilds: Sequence[tuple[str, int]], prepared: Sequence[str] = ()
) -> Sample:
    """Rebuild each model with so many processes, then read the log out.

    Models that were ``prepared`` tell how long that took instead, in one of two processes that had the machine.
    """
    database = history(stand, log)
    counts = topics(stand, database)
    values: dict[str, float] = {}
    notes = [f"a log of {sum(counts.values()):,} events"]
    for name, workers in rebuilds:
        done = rebuilt(database, read_model(name), counts, workers, stand.stack.pid("postgres"))
        values[figure_name(name, workers)] = done.rate
        notes.append(f"{figure_name(name, workers)}: {done}")
    for name in prepared:
        values[BESIDE_OTHERS.format(name)] = folded(read_model(name), counts) / filled_in(stand)[name]
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        limit = raw_read(connection, "log")
    return Sample(values, dict.fromkeys(values, limit), notes)


def figure_name(model: str, workers: int) -> str:
    """What a figure is called."""
    return f"{model}, {EACH[workers]}"


def row(
    name: str,
    title: str,
    log: Log,
    rebuilds: Sequence[tuple[str, int]],
    *,
    goals: Sequence[float] = (),
    prepared: Sequence[str] = (),
) -> Row:
    """A row of events per second. ``goals`` are for the first figures."""
    names = [figure_name(*each) for each in rebuilds] + [BESIDE_OTHERS.format(each) for each in prepared]
    bounds = [at_least(goal) for goal in goals] + [None] * (len(names) - len(goals))
    figures = tuple(Figure(each, "events/s", goal, RAW_READ) for each, goal in zip(names, bounds, strict=True))
    run = partial(measure, log=log, rebuilds=rebuilds, prepared=prepared)
    # What takes minutes is not done three times.
    return Row(name=name, title=title, figures=figures, measure=run, log=log, runs=1 if log == "large" else 0)


GOALS: Final = (120_000, 180_000)
CONTACTS: Final = (("contacts", 1), ("contacts", 2))
CAMPAIGNS: Final = (("campaign_recipients", 1), ("campaign_recipients", 2), ("campaign_activity", 1), ("outbox", 1))
TIMELINE: Final = "contact_timeline"
SMALL: Final = "a log of 1,000,000 events, 46% of contacts, 54% of campaigns"
LARGE_LOG: Final = "a log of 10,000,000 such events"
ROWS = (
    row("rebuild-contacts-1m", f"rebuild of contacts, {SMALL}", "small", CONTACTS, goals=GOALS),
    row("rebuild-campaigns-1m", "rebuild of what shows campaigns, the same log", "small", (*CAMPAIGNS, (TIMELINE, 1))),
)
LARGE = (
    row("rebuild-contacts-10m", f"rebuild of contacts, {LARGE_LOG}", "large", CONTACTS, goals=GOALS),
    row(
        "rebuild-campaigns-10m",
        "rebuild of what shows campaigns, the same log",
        "large",
        CAMPAIGNS,
        prepared=(TIMELINE,),
    ),
)
