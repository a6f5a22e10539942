"""Laws of every rebuild: it comes to the rows that the live tables have, whatever the history and however far it is."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain.store.log import Store
from domain.store.order import Order
from domain.store.partition import partition_of
from projections.engine import Applied, Batch, apply
from projections.projection import Projection
from projections.rebuild import stretches
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import rebuild, verify
from projections.schema import read_models
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import begin, clear, deliver, orders, put, replayed, rows

MODELS = read_models()
PARTITIONS = 3


def on_one_database(examples: int) -> settings:
    slow = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
    return settings(max_examples=examples, deadline=None, suppress_health_check=slow)


@pytest.fixture
def rebuilds(database: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Rebuilds in stretches so small that histories of tests have several."""
    monkeypatch.setattr(stretches, "SIZE", 3)
    return Database(database, MASTER_KEY)


@given(history=orders, far=st.integers(0, 40))
@on_one_database(3)
def test_a_rebuild_comes_to_the_live_rows_and_the_projector_goes_on(
    database: str, store: Store, connection: Connection, rebuilds: Database, history: list[Order], far: int
) -> None:
    clear(connection)
    events = put(store, connection, history)
    done, left = events[:far], events[far:]
    for projection in MODELS:
        begin(connection, projection)
        assert deliver(connection, store, projection, done) == Applied()
    live = rows(connection, *MODELS)
    for projection in MODELS:
        comparison = rebuild(rebuilds, projection)
        assert comparison is not None
        assert comparison.equal, comparison
    assert rows(connection, *MODELS) == live
    for projection in MODELS:
        assert deliver(connection, store, projection, left, prev=len(done)) == Applied()
    assert rows(connection, *MODELS) == replayed(database, store, *MODELS)


@given(history=orders, far=st.tuples(*[st.integers(0, 40)] * PARTITIONS), projection=st.sampled_from(MODELS))
@on_one_database(12)
def test_partitions_that_are_differently_far_are_compared_as_they_are_and_swapped_as_one(
    database: str,
    store: Store,
    connection: Connection,
    rebuilds: Database,
    history: list[Order],
    far: tuple[int, ...],
    projection: Projection,
) -> None:
    clear(connection)
    events = put(store, connection, history)
    begin(connection, projection, PARTITIONS)
    deliver_parts(connection, store, projection, [Batch(p, 0, events[:n], n) for p, n in enumerate(far) if n])
    assert verify(rebuilds, projection).equal
    comparison = rebuild(rebuilds, projection)
    assert comparison is not None
    assert comparison.equal, comparison
    assert positions(connection, projection) == {min(max(far), len(events))}
    deliver_parts(connection, store, projection, [Batch(p, 0, events, len(events)) for p in range(PARTITIONS)])
    assert rows(connection, projection) == replayed(database, store, projection)


def deliver_parts(connection: Connection, store: Store, projection: Projection, wholes: list[Batch]) -> None:
    """Apply to each partition its own events of a stretch of the log."""
    batches = []
    for whole in wholes:
        own = [event for event in whole.events if partition_of(event, PARTITIONS) == whole.partition]
        through = whole.events[-1].position if whole.events else whole.prev
        batches.append(Batch(whole.partition, whole.prev, own, through))
    assert apply(connection, store.unsealer, projection, batches, partitions=PARTITIONS) == Applied()


def positions(connection: Connection, projection: Projection) -> set[int]:
    query = "SELECT position FROM checkpoints WHERE projection = %s"
    return {position for (position,) in connection.execute(query, (projection.name,))}
