"""Laws of every read model: twice is once, and replay equals live."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain.store.log import Store
from domain.store.order import Order
from projections.engine import Applied
from projections.projection import Projection
from projections.schema import read_models
from tests.projections.histories import begin, clear, deliver, orders, put, replayed, rows

each_read_model = pytest.mark.parametrize("projection", read_models(), ids=lambda projection: projection.name)
on_one_database = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
sizes = st.lists(st.integers(1, 9), max_size=12)
stretches = st.lists(st.tuples(st.integers(0, 40), st.integers(1, 15)), max_size=6)


@each_read_model
@given(history=orders, sizes=sizes)
@on_one_database
def test_replay_equals_live(
    projection: Projection, database: str, store: Store, connection: Connection, history: list[Order], sizes: list[int]
) -> None:
    clear(connection)
    begin(connection, projection)
    there = 0
    for size in [*sizes, len(history)]:
        now, history = history[:size], history[size:]
        events = put(store, connection, now, there)
        assert deliver(connection, store, projection, events, prev=there) == Applied()
        there += len(events)
    assert rows(connection, projection) == replayed(database, store, projection)


@each_read_model
@given(history=orders, again=stretches)
@on_one_database
def test_twice_is_once(
    projection: Projection,
    database: str,
    store: Store,
    connection: Connection,
    history: list[Order],
    again: list[tuple[int, int]],
) -> None:
    clear(connection)
    events = put(store, connection, history)
    begin(connection, projection)
    there = 0
    for start, size in [*again, (0, len(events))]:
        first = min(start, there)
        assert deliver(connection, store, projection, events[first : first + size], prev=first) == Applied()
        there = max(there, len(events[: first + size]))
    once = rows(connection, projection)
    assert deliver(connection, store, projection, events) == Applied()
    assert rows(connection, projection) == once == replayed(database, store, projection)
