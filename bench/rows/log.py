"""The log itself, in a database of its own that nobody follows: append and read, beside what Postgres can do."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast
from uuid import UUID, uuid4

import psycopg

from bench.limits import RAW_COPY, RAW_READ, raw_copy, raw_read
from bench.people import email, upserts
from bench.row import Figure, Row, RowFailed, Sample
from bench.stand import CHUNK, Stand
from domain.store.append import Append
from domain.store.append import Row as Event
from domain.store.log import Store
from domain.store.order import Accepted
from domain.store.recorded import Recorded
from domain.store.schema import install_schema

DATABASE = "bench_log"
THERE = "SELECT count(*) FROM pg_database WHERE datname = %s"
RATE = "events"
APPENDED = 5_000
READ = 5_000
READ_MOST = 500_000
"""The log's last events, of the same kinds however long it is."""
LONGEST_SECONDS = 20.0
KIND = 15
"""A kind that nothing has."""


class Scratch:
    """A store on the database, and a connection."""

    def __init__(self, conninfo: str, master_key: str) -> None:
        self.store = Store(conninfo, master_key)
        self.connection = psycopg.connect(conninfo, autocommit=True)
        self.streams = 0
        self.model: list[Recorded] = []


def scratch(stand: Stand) -> Scratch:
    """Make the database when it is first asked for, unless it was prepared; put the events of some contacts into it."""

    def make() -> Scratch:
        if not stand.ask(THERE, DATABASE):
            stand.connection.execute(f"CREATE DATABASE {DATABASE}")
        database = stand.stack.database(DATABASE)
        install_schema(database.conninfo)
        made = Scratch(database.conninfo, database.master_key)
        before = made.store.recorder.head()
        handle(stand, made, "first")
        made.model = made.store.read(before, APPENDED)
        return made

    return cast("Scratch", stand.once(DATABASE, make))


def handle(stand: Stand, made: Scratch, group: str) -> int:
    """Put upserts of new contacts to the store, many a call, until there are enough or the time is over.

    Gives how many events came of it. Raises RowFailed.
    """
    events, deadline = 0, time.perf_counter() + LONGEST_SECONDS
    for start in range(0, stand.scale.rows // 2, CHUNK):
        orders = upserts(stand.commands, (email(group, n) for n in range(start, start + CHUNK)))
        for outcome in made.store.handle(*orders):
            if not isinstance(outcome, Accepted):
                raise RowFailed(f"the store answered {outcome}")
            events += len(outcome.events)
        if time.perf_counter() > deadline:
            break
    return events


def measure_handle(stand: Stand, run: int) -> Sample:
    """Decide, seal and append."""
    made = scratch(stand)
    rate, events = timed(lambda: handle(stand, made, f"handled-{run}"))
    return Sample({RATE: rate}, {RATE: raw_copy(made.connection, events)}, [f"{CHUNK:,} commands a call"])


def measure_append(stand: Stand, _: int) -> Sample:
    """Append events that are sealed already, each to a stream of its own."""
    made = scratch(stand)
    model = made.model
    batches = [batch(made, model) for _ in range(max(stand.scale.rows // len(model), 1))]
    rate, events = timed(lambda: sum(append(made, each) for each in batches))
    return Sample({RATE: rate}, {RATE: raw_copy(made.connection, events)}, [f"{len(model):,} events a transaction"])


def batch(made: Scratch, model: list[Recorded]) -> Append:
    """An append of events like these."""
    now, correlation, rows = datetime.now(UTC), uuid4(), []
    for event in model:
        made.streams += 1
        stream = UUID(int=KIND << 96 | made.streams)
        rows.append(Event(stream, 1, event.topic, event.data, 1, 1, 0, now, correlation, None, "api"))
    return Append([], [], [(row.stream, 0) for row in rows], rows, [], [])


def append(made: Scratch, ready: Append) -> int:
    """Append one batch. Raises RowFailed when a stream was left out."""
    if made.store.recorder.append(ready).lost:
        raise RowFailed("streams were lost")
    return len(ready.rows)


def measure_read(stand: Stand, _: int) -> Sample:
    """Read the log in its order, as a feed does."""
    made = scratch(stand)
    start = max(made.store.recorder.head() - READ_MOST, 0)

    def read() -> int:
        position = start
        while events := made.store.read(position, READ):
            position = events[-1].position
        return position - start

    rate, _events = timed(read)
    return Sample({RATE: rate}, {RATE: raw_read(made.connection, "log")})


def timed(work: Callable[[], int]) -> tuple[float, int]:
    """How many per second, and how many."""
    began = time.perf_counter()
    done = work()
    return done / (time.perf_counter() - began), done


ROWS = (
    Row(
        name="log-handle",
        title="log append through store.handle, new contacts with two tags",
        figures=(Figure(RATE, "events/s", None, RAW_COPY),),
        measure=measure_handle,
    ),
    Row(
        name="log-append",
        title="log append of finished events",
        figures=(Figure(RATE, "events/s", None, RAW_COPY),),
        measure=measure_append,
    ),
    Row(
        name="log-read",
        title="log read in order",
        figures=(Figure(RATE, "events/s", None, RAW_READ),),
        measure=measure_read,
    ),
)
