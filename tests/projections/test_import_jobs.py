"""The read model of import jobs: its laws, on histories of its own, and that it agrees with the log."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain import import_job
from domain.import_job import Counts, FailImport, FinishImport, QueueImport, RecordProgress, StartImport, values
from domain.store.log import Store
from domain.store.order import Context, Order
from projections.engine import Applied
from projections.import_jobs import PROJECTION
from tests.projections.histories import begin, clear, deliver, put, replayed, rows

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
KEYS = ("one", "two")
CONTEXT = Context(correlation_id=UUID(int=1))
COMMANDS: list[Any] = [
    QueueImport(at=NOON, organization_id=1, client_id=2),
    QueueImport(at=NOON, organization_id=1, client_id=3, dry_run=True),
    StartImport(at=NOON, position=1),
    FinishImport(at=NOON),
    FailImport(at=NOON, code="file_gone"),
    *(RecordProgress(at=NOON, done=n * 2, counts=Counts(total=2, created=1, invalid=1), position=5) for n in range(3)),
]
orders = st.lists(
    st.builds(
        lambda key, command: Order(decider=import_job.decider, key=key, context=CONTEXT, command=command),
        st.sampled_from(KEYS),
        st.sampled_from(COMMANDS),
    ),
    min_size=1,
    max_size=20,
)
FILLED = [Order(decider=import_job.decider, key="one", context=CONTEXT, command=command) for command in COMMANDS]


@given(history=orders, size=st.integers(1, 9))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_replay_equals_live_equals_the_log_and_twice_is_once(
    database: str, store: Store, connection: Connection, history: list[Order], size: int
) -> None:
    clear(connection)
    begin(connection, PROJECTION)
    events = put(store, connection, [*FILLED[:1], *history])
    for start in range(0, len(events), size):
        assert deliver(connection, store, PROJECTION, events[start : start + size], prev=start) == Applied()
    live = rows(connection, PROJECTION)
    assert live == replayed(database, store, PROJECTION)
    assert deliver(connection, store, PROJECTION, events) == Applied()
    assert rows(connection, PROJECTION) == live
    found = connection.execute(
        "SELECT status, total, created, updated, unchanged, skipped, invalid, client_id FROM import_jobs"
    )
    states = [loaded.state for loaded in store.load(import_job.decider, keys=KEYS)]
    expected = [(job.status, *values(job.counts), job.client_id) for job in states if job.created_at]
    assert sorted(found) == sorted(expected)
