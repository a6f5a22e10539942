"""Laws of every read model: twice is once, replay equals live, and partitions come in any order."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain.store.log import Store
from domain.store.order import Order
from domain.store.partition import partition_of
from domain.store.recorded import Recorded
from projections.engine import Applied, Batch, apply_all
from projections.schema import read_models
from tests.projections.histories import begin, clear, orders, put, replayed, rows

MODELS = read_models()
PARTITIONS = 3

on_one_database = settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
sizes = st.lists(st.integers(1, 9), max_size=12)
stretches = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=6)
turns = st.lists(st.tuples(st.integers(0, PARTITIONS - 1), st.integers(1, 15)), max_size=12)


def begin_all(connection: Connection, partitions: int = 1) -> None:
    for projection in MODELS:
        begin(connection, projection, partitions)


def deliver(
    connection: Connection, store: Store, events: Sequence[Recorded], prev: int, partition: int = 0, partitions: int = 1
) -> None:
    """Apply a batch to every read model."""
    batch = Batch(partition, prev, events, events[-1].position if events else prev)
    tasks = [(projection, [batch]) for projection in MODELS]
    applied = apply_all(connection, store.unsealer, tasks, partitions=partitions)
    parked = connection.execute("SELECT projection, parked_error FROM checkpoints WHERE parked_error IS NOT NULL")
    assert (parked.fetchall(), set(applied.values())) == ([], {Applied()})


@given(history=orders, sizes=sizes)
@on_one_database
def test_replay_equals_live(
    database: str, store: Store, connection: Connection, history: list[Order], sizes: list[int]
) -> None:
    clear(connection)
    begin_all(connection)
    there = 0
    for size in [*sizes, len(history)]:
        now, history = history[:size], history[size:]
        events = put(store, connection, now, there)
        deliver(connection, store, events, prev=there)
        there += len(events)
    assert rows(connection, *MODELS) == replayed(database, store, *MODELS)


@given(history=orders, again=stretches)
@on_one_database
def test_twice_is_once(
    database: str, store: Store, connection: Connection, history: list[Order], again: list[tuple[int, int]]
) -> None:
    clear(connection)
    events = put(store, connection, history)
    begin_all(connection)
    there = 0
    for start, size in [*again, (0, len(events))]:
        first = min(start, there)
        deliver(connection, store, events[first : first + size], prev=first)
        there = max(there, len(events[: first + size]))
    once = rows(connection, *MODELS)
    deliver(connection, store, events, prev=0)
    assert rows(connection, *MODELS) == once == replayed(database, store, *MODELS)


@given(history=orders, turns=turns)
@on_one_database
def test_partitions_come_in_any_order(
    database: str, store: Store, connection: Connection, history: list[Order], turns: list[tuple[int, int]]
) -> None:
    """As through Kafka, where one partition may be far behind another."""
    clear(connection)
    events = put(store, connection, history)
    begin_all(connection, PARTITIONS)
    shares = [[event for event in events if partition_of(event, PARTITIONS) == n] for n in range(PARTITIONS)]
    reached = [0] * PARTITIONS
    for partition, size in [*turns, *((n, len(events)) for n in range(PARTITIONS))]:
        now, shares[partition] = shares[partition][:size], shares[partition][size:]
        if now:
            deliver(connection, store, now, reached[partition], partition, PARTITIONS)
            reached[partition] = now[-1].position
    assert rows(connection, *MODELS) == replayed(database, store, *MODELS)
