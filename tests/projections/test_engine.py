"""The engine: each event once, checkpoints with the rows, a bad event parked alone, gaps and strangers refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import psycopg
import pytest

from consumers.session import Connection
from domain.store.log import Store
from domain.store.order import Order
from domain.store.recorded import Recorded
from projections import directory
from projections.checkpoint import is_caught_up, lags, reflected_position, unpark
from projections.contacts import PROJECTION
from projections.engine import Applied, Batch, Repartitioned, apply
from projections.projection import Opened, Projection
from tests.projections.histories import begin, deliver, put, rows
from tests.store.conftest import upsert

Log = Callable[..., list[Recorded]]


@pytest.fixture
def log(store: Store, connection: Connection) -> Log:
    """Handle orders; gives the whole log."""
    return lambda *orders: put(store, connection, orders)


def people(count: int) -> list[Order]:
    return [upsert(f"person{n}@example.com") for n in range(count)]


def checkpoints(connection: Connection, projection: Projection = PROJECTION) -> list[Any]:
    query = "SELECT position, parked_position, parked_error FROM checkpoints WHERE projection = %s ORDER BY partition"
    return connection.execute(query, (projection.name,)).fetchall()


def emails(connection: Connection) -> list[str]:
    return [email for (email,) in connection.execute("SELECT email FROM contacts ORDER BY contact_id")]


class Failing(msgspec.Struct, frozen=True):
    """The contacts' fold, breaking on the events of some positions."""

    on: tuple[int, ...]
    error: Exception

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:
        PROJECTION.fold(connection, events)
        if any(recorded.position in self.on for recorded, _ in events):
            raise self.error


def failing(*on: int, error: Exception | None = None) -> Projection:
    return msgspec.structs.replace(PROJECTION, fold=Failing(on, error or ValueError("person@example.com is no good")))


def test_a_batch_moves_rows_and_checkpoint_together(store: Store, connection: Connection, log: Log) -> None:
    events = log(*people(3))
    begin(connection, PROJECTION)
    assert deliver(connection, store, PROJECTION, events) == Applied()
    assert checkpoints(connection) == [(events[-1].position, None, None)]
    assert emails(connection) == [f"person{n}@example.com" for n in range(3)]


def test_nothing_is_written_when_the_database_is_lost_in_mid_batch(
    store: Store, connection: Connection, log: Log
) -> None:
    events = log(*people(3))
    begin(connection, PROJECTION)
    lost = failing(events[2].position, error=psycopg.OperationalError())
    with pytest.raises(psycopg.OperationalError):
        deliver(connection, store, lost, events)
    assert checkpoints(connection) == [(0, None, None)]
    assert emails(connection) == []


def test_a_gap_before_a_batch_is_told_and_nothing_applied(store: Store, connection: Connection, log: Log) -> None:
    events = log(*people(3))
    begin(connection, PROJECTION)
    assert deliver(connection, store, PROJECTION, events[2:], prev=2) == Applied(behind=frozenset({0}))
    assert checkpoints(connection) == [(0, None, None)]


def test_after_a_gap_later_batches_of_the_partition_wait_too(store: Store, connection: Connection, log: Log) -> None:
    events = log(*people(3))
    begin(connection, PROJECTION)
    parts = [Batch(0, 0, events[:1], 1), Batch(0, 2, events[2:3], 3), Batch(0, 1, events[1:], events[-1].position)]
    assert apply(connection, store.unsealer, PROJECTION, parts, partitions=1) == Applied(behind=frozenset({0}))
    assert checkpoints(connection) == [(1, None, None)]


def test_a_batch_of_another_division_is_refused(store: Store, connection: Connection, log: Log) -> None:
    events = log(*people(1))
    begin(connection, PROJECTION, partitions=4)
    with pytest.raises(Repartitioned):
        deliver(connection, store, PROJECTION, events)
    assert emails(connection) == []


def test_a_bad_event_parks_its_partition_right_after_what_came_before_it(
    store: Store, connection: Connection, log: Log
) -> None:
    events = log(*people(8))
    bad = events[10]
    begin(connection, PROJECTION)
    assert deliver(connection, store, failing(bad.position), events) == Applied(parked=frozenset({0}))
    [(position, parked, error)] = checkpoints(connection)
    assert (position, parked) == (bad.position - 1, bad.position)
    assert error.startswith(f"ValueError on {bad.topic}, line ")
    assert "person" not in error
    before = rows(connection, PROJECTION)
    assert deliver(connection, store, PROJECTION, events) == Applied()
    assert checkpoints(connection) == [(events[-1].position, None, None)]
    assert before != rows(connection, PROJECTION)
    assert emails(connection) == [f"person{n}@example.com" for n in range(8)]


def test_a_bad_event_holds_up_its_own_partition_only(store: Store, connection: Connection, log: Log) -> None:
    events = log(*people(6))
    begin(connection, PROJECTION, partitions=2)
    halves = [[e for e in events if e.contact_id % 2 == remainder] for remainder in (0, 1)]
    batches = [Batch(n, 0, half, events[-1].position) for n, half in enumerate(halves)]
    bad = failing(halves[0][1].position)
    assert apply(connection, store.unsealer, bad, batches, partitions=2) == Applied(parked=frozenset({0}))
    assert [row[0] for row in checkpoints(connection)] == [halves[0][1].position - 1, events[-1].position]


@pytest.mark.parametrize("topic", ["contact.subscribed@99", "contact.promoted@1"])
def test_an_event_that_this_code_does_not_know_parks_instead_of_being_passed_over(
    store: Store, connection: Connection, log: Log, topic: str
) -> None:
    events = log(*people(2))
    newer = [events[0], msgspec.structs.replace(events[1], topic=topic), *events[2:]]
    begin(connection, PROJECTION)
    assert deliver(connection, store, PROJECTION, newer) == Applied(parked=frozenset({0}))
    assert checkpoints(connection)[0][:2] == (1, 2)


def test_events_that_a_projection_does_not_fold_move_its_checkpoint(
    store: Store, connection: Connection, log: Log
) -> None:
    events = log(*people(2))
    begin(connection, directory.PROJECTION)
    assert deliver(connection, store, directory.PROJECTION, events) == Applied()
    assert reflected_position(connection, "directory") == events[-1].position


def test_lag_is_told_in_events_and_seconds_and_parking_with_its_reason(
    store: Store, connection: Connection, log: Log
) -> None:
    events = log(*people(4))
    begin(connection, PROJECTION)
    begin(connection, directory.PROJECTION)
    deliver(connection, store, failing(5), events)
    deliver(connection, store, directory.PROJECTION, events)
    parked, caught_up = lags(connection)
    assert (parked.name, parked.position, parked.events, parked.parked_position) == ("contacts", 4, len(events) - 4, 5)
    assert parked.seconds != 0
    assert (caught_up.name, caught_up.events, caught_up.seconds) == ("directory", 0, 0)
    assert unpark(connection, "contacts") == 1
    assert lags(connection)[0].parked_position is None


@pytest.mark.parametrize(
    ("checkpoint", "published", "relayed", "reflected"),
    [
        ([5, 7], [5, 7], 9, 9),
        ([5, 7], [5, 8], 9, 7),
        ([4, 7], [5, 8], 9, 4),
        ([12, 7], [5, 7], 9, 9),
        ([12, 11], [5, 7], 9, 11),
    ],
    ids=["has all published", "one behind", "both behind", "one read ahead", "both read ahead"],
)
def test_the_reflected_position_of_many_partitions_is_exact(
    connection: Connection, checkpoint: list[int], published: list[int], relayed: int, reflected: int
) -> None:
    begin(connection, PROJECTION, partitions=2)
    connection.execute("INSERT INTO relay (partitions, position) VALUES (2, %s)", (relayed,))
    for partition in (0, 1):
        connection.execute("INSERT INTO relay_partitions VALUES (%s, %s)", (partition, published[partition]))
        move = "UPDATE checkpoints SET position = %s WHERE partition = %s"
        connection.execute(move, (checkpoint[partition], partition))
    assert reflected_position(connection, "contacts") == reflected
    assert is_caught_up(connection, "contacts", reflected)
    assert not is_caught_up(connection, "contacts", reflected + 1)


def test_checkpoints_of_another_division_than_the_relays_count_alone(connection: Connection) -> None:
    begin(connection, PROJECTION)
    connection.execute("UPDATE checkpoints SET position = 5")
    connection.execute("INSERT INTO relay (partitions, position) VALUES (2, 9)")
    connection.execute("INSERT INTO relay_partitions VALUES (0, 3), (1, 3)")
    assert reflected_position(connection, "contacts") == 5
