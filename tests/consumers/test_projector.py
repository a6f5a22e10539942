"""Read models come out as one quiet replay makes them, whatever dies on the way."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag
from typing import Any

import msgspec
import pytest
from kafka import KafkaAdminClient

from consumers import projector as projector_module
from consumers.catch_up import together
from consumers.follower import CHUNK, divided
from consumers.messages import Headers
from consumers.projector import Relayed, falls_behind, is_flood
from consumers.relay import PRODUCER, Relay
from consumers.session import Connection, connect
from domain.store.log import Store
from domain.store.recorded import Recorded
from projections import directory
from projections.checkpoint import lags, reflected_position, unpark
from projections.contacts import PROJECTION
from projections.engine import Batch, apply
from projections.projection import Opened, Projection
from tests.consumers.conftest import BOTH, Direct, Source, ThroughKafka
from tests.consumers.process import GATE
from tests.consumers.running import (
    assert_exact,
    running,
    tag,
    wait_for,
    wait_until,
    write,
)
from tests.consumers.tally import TALLY
from tests.projections.histories import begin

ROOT = Path(__file__).parents[2]
PEOPLE = range(40)


class Gated(msgspec.Struct, frozen=True):
    """The contacts' fold behind a gate: it breaks while the gate is shut."""

    shut: Flag

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:
        if self.shut.is_set():
            raise ValueError
        PROJECTION.fold(connection, events)


def gated(name: str, *, shut: Flag) -> Projection:
    return msgspec.structs.replace(PROJECTION, name=name, fold=Gated(shut))


def query(store: Store, sql: str) -> list[tuple[object, ...]]:
    with connect(store.conninfo, "test looks") as connection:
        return connection.execute(sql).fetchall()


def test_what_is_there_and_what_comes_is_projected(source: Source, store: Store) -> None:
    numbers = range(1, 21)
    write(store, PEOPLE)
    with running(source.projector()):
        wait_for(store)
        tag(store, numbers, "live")
        wait_for(store)
    assert_exact(store)


def test_every_projection_follows_by_checkpoints_of_its_own(source: Source, store: Store) -> None:
    write(store, PEOPLE)
    with running(source.projector(TALLY)):
        wait_for(store, "tally")
    write(store, range(40, 60))
    with running(source.projector(TALLY, PROJECTION, directory.PROJECTION)):
        wait_for(store, "tally", "contacts", "directory")
    assert_exact(store)


def test_urgent_projections_go_ahead_of_the_others_in_a_flood(
    source: Source, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("consumers.catch_up", "consumers.follower"):
        monkeypatch.setattr(f"{module}.CHUNK", 20)
    order: list[str] = []

    def noted(name: str, *, urgent: bool) -> Projection:
        def fold(_: Connection, events: Sequence[Opened], /) -> None:
            order.append(name) if events else None

        return msgspec.structs.replace(TALLY, name=name, fold=fold, urgent=urgent)

    write(store, range(1, 61))
    with running(source.projector(noted("patient", urgent=False), noted("urgent", urgent=True))):
        wait_for(store, "patient", "urgent")
    begun, last = order.index("patient"), len(order) - 1 - order[::-1].index("urgent")
    assert order.count("urgent") > 3
    assert order[begun:last].count("patient") <= 2


@pytest.mark.parametrize(("events", "flood"), [(0, False), (1_999, False), (2_000, True)])
def test_what_is_a_flood(store: Store, events: int, *, flood: bool) -> None:
    write(store, [1])
    [event] = store.read(0, 1)
    batches = [Batch(0, 0, [event] * (events // 2), 1), Batch(1, 0, [event] * (events - events // 2), 1)]
    assert is_flood(batches) is flood


@contextmanager
def halted(source: Source, at: int) -> Iterator[subprocess.Popen[bytes]]:
    """A projector's process that stands in the middle of the batch with the position."""
    where = [source.servers, source.topic] if isinstance(source, ThroughKafka) else []
    command = [sys.executable, "-m", "tests.consumers.process", source.store.conninfo, str(at), *where]
    with connect(source.store.conninfo, "test holds the gate") as gate:
        gate.execute("SELECT pg_advisory_lock(%s)", (GATE,))
        process = subprocess.Popen(command, cwd=ROOT)
        try:
            waiting = f"SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objid = {GATE} AND NOT granted"
            wait_until(source.store.conninfo, lambda c: bool(c.execute(waiting).fetchall()), "the halt")
            yield process
        finally:
            process.kill()
            process.wait()


def test_a_projector_killed_in_mid_batch_changes_nothing_in_the_end(source: Source, store: Store) -> None:
    write(store, PEOPLE)
    with halted(source, at=store.recorder.head() - 5) as process:
        tag(store, range(1, 11), "while it stands")
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert reflected(store) < store.recorder.head()
    with running(source.projector()):
        wait_for(store)
    assert_exact(store)


def reflected(store: Store) -> int:
    with connect(store.conninfo, "test looks") as connection:
        return reflected_position(connection, PROJECTION.name)


def test_two_processes_together_do_what_one_does(source: Source, store: Store) -> None:
    with running(source.projector()):
        with running(source.projector()):
            write(store, PEOPLE)
            tag(store, range(1, 41), "both")
            wait_for(store)
        tag(store, range(1, 41), "one")
        wait_for(store)
    assert_exact(store)


def test_lost_database_sessions_cost_no_event(source: Source, store: Store) -> None:
    kill = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = current_database() AND application_name LIKE '{projector_module.NAME}%'"
    )
    with running(source.projector()):
        for start in range(0, 40, 20):
            write(store, range(start, start + 20))
            wait_until(store.conninfo, lambda c: bool(c.execute(kill).fetchall()), "a session to kill")
        wait_for(store)
    assert_exact(store)


def test_a_parked_projection_holds_up_no_other_and_goes_on_when_it_can(source: Source, store: Store) -> None:
    shut = Flag()
    shut.set()
    with running(source.projector(gated("contacts", shut=shut), TALLY)):
        write(store, PEOPLE)
        wait_for(store, "tally")
        wait_until(store.conninfo, lambda c: any(lag.parked_position for lag in lags(c)), "the parking")
        shut.clear()
        with connect(store.conninfo, "test") as connection:
            assert unpark(connection, "contacts") > 0
        wait_for(store)
    assert_exact(store)
    assert query(store, "SELECT 1 FROM checkpoints WHERE parked_position IS NOT NULL") == []


@pytest.fixture
def way(store: Store, kafka: str) -> ThroughKafka:
    return ThroughKafka(store, kafka)


def deleted(way: ThroughKafka) -> None:
    admin = KafkaAdminClient(bootstrap_servers=way.servers)
    admin.delete_topics([way.topic])
    admin.close()


@pytest.mark.kafka
def test_a_broker_that_lost_its_data_changes_nothing_in_the_end(way: ThroughKafka, store: Store) -> None:
    with running(way.relay, way.projector()):
        write(store, PEOPLE)
        wait_for(store)
    with running(way.relay):
        tag(store, range(1, 21), "published, and lost")
        head = store.recorder.head()
        wait_until(store.conninfo, lambda c: c.execute("SELECT position FROM relay").fetchall() == [(head,)])
    deleted(way)
    with running(way.relay, way.projector()):
        wait_for(store)
        tag(store, range(1, 21), "afterwards")
        wait_for(store)
    assert_exact(store)


@pytest.mark.kafka
def test_a_topic_deleted_under_running_consumers_changes_nothing_in_the_end(
    way: ThroughKafka, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, milliseconds in {"request_timeout_ms": 1_000, "delivery_timeout_ms": 2_000}.items():
        monkeypatch.setitem(PRODUCER, name, milliseconds)
    with running(way.relay, way.projector()):
        write(store, PEOPLE)
        wait_for(store)
        deleted(way)
        tag(store, range(1, 21), "on no topic")
        wait_for(store)
    assert_exact(store)


@pytest.mark.kafka
def test_positions_hold_through_changes_between_kafka_and_direct_and_of_the_division(
    way: ThroughKafka, store: Store
) -> None:
    direct = Direct(store)

    def along(*sessions: Callable[[Flag], None], word: str) -> None:
        tag(store, range(1, 11), f"before {word}")
        with running(*sessions):
            tag(store, range(1, 11), word)
            wait_for(store)

    write(store, PEOPLE)
    along(direct.projector(), word="direct")
    along(way.relay, way.projector(), word="kafka")
    along(direct.projector(), word="direct again")
    way.partitions += 2
    along(way.relay, way.projector(), word="more partitions")
    assert_exact(store)
    assert query(store, "SELECT count(*) FROM checkpoints") == [(2 * way.partitions,)]


@pytest.mark.kafka
@pytest.mark.parametrize("lost", [0, 2], ids=["the last", "some"])
def test_messages_that_never_came_are_read_from_the_log(
    way: ThroughKafka, store: Store, lost: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = Relay.send

    def losing(relay: Relay, producer: Any, event: Recorded, headers: Headers, partition: int) -> Any:
        last = store.recorder.head()
        if event.position == last or (lost and event.position % lost == 0):
            return producer.send(way.topic, b"lost", partition=partition)
        return send(relay, producer, event, headers, partition)

    with running(way.relay, way.projector()):
        write(store, PEOPLE)
        wait_for(store)
        monkeypatch.setattr(Relay, "send", losing)
        write(store, range(40, 80))
        wait_for(store)
    assert_exact(store)


def test_partitions_left_at_different_positions_are_brought_together(store: Store) -> None:
    write(store, PEOPLE)
    write(store, PEOPLE, tag="t")
    events = store.read(0, 1000)
    with connect(store.conninfo, "test") as connection:
        for projection in BOTH:
            begin(connection, projection, partitions=3)
            for partition, come in enumerate((len(events), len(events) // 2)):
                ahead = divided(events[:come], 0, {partition}, 3)
                apply(connection, store.unsealer, projection, ahead, partitions=3)
    with running(Direct(store).projector()):
        wait_for(store)
        undivided = "SELECT DISTINCT partition, partitions FROM checkpoints"
        wait_until(store.conninfo, lambda c: c.execute(undivided).fetchall() == [(0, 1)], "one division")
    assert_exact(store)


@pytest.mark.parametrize(
    ("before", "now", "behind"),
    [
        ((5, 5), (5, 9), False),
        ((5, 9), (5, 9), True),
        ((5, 9), (6, 9), False),
        (None, (5, 9), False),
        ((5, 9), (20_000, 29_000), False),
        (None, (20_000, 31_000), True),
    ],
    ids=["new events", "stands still", "moves", "first look", "a little behind", "a flood"],
)
def test_when_a_relay_has_fallen_behind(before: tuple[int, int] | None, now: tuple[int, int], *, behind: bool) -> None:
    assert falls_behind(Relayed(*before) if before else None, Relayed(*now)) is behind


def test_those_near_one_another_read_the_log_together() -> None:
    reached = [(12_000, "far"), (0, "new"), (11_990, "near far"), (CHUNK - 1, "ahead"), (CHUNK, "next chunk")]
    assert list(together(reached)) == [
        (0, ["new", "ahead"]),
        (CHUNK, ["next chunk"]),
        (11_990, ["near far", "far"]),
    ]
