"""The consumers' process: started by names, stopped by a signal, its log fit to be read by anybody."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Flag

import msgspec
import psycopg
import pytest

from config.local.kafka.broker import Kafka
from config.local.kafka.jars import find_runtime
from config.settings import BadSettingsError, Settings
from consumers.__main__ import Process, chosen
from domain.store.log import Store
from tests.consumers.running import DEADLINE, assert_equals_replay, tag, wait_for, wait_until, write
from tests.projections.conftest import MASTER_KEY

ROOT = Path(__file__).parents[2]


@contextmanager
def process(database: str, *names: str, **environ: str) -> Iterator[subprocess.Popen[str]]:
    known = {"PATH": os.environ["PATH"], "DATABASE_URL": database, "MASTER_KEY": MASTER_KEY}
    command = [sys.executable, "-m", "consumers", *names]
    started = subprocess.Popen(
        command, cwd=ROOT, env={**known, **environ}, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def test_it_projects_until_it_is_told_to_stop(database: str, store: Store) -> None:
    write(store, range(10))
    with process(database, "projector") as started:
        wait_for(store, "contacts", "directory")
        write(store, range(10, 20))
        wait_for(store, "contacts", "directory")
        started.send_signal(signal.SIGTERM)
        _, logged = started.communicate(timeout=DEADLINE)
        assert started.returncode == 0
    lines = [msgspec.json.decode(line) for line in logged.splitlines()]
    assert [line["message"] for line in lines] == ["consumers started", "consumers stopped"]
    assert lines[0]["consumers"] == ["projector"]
    assert "example.com" not in logged


@pytest.mark.kafka
def test_relay_and_projector_share_a_process(database: str, store: Store, kafka: str) -> None:
    write(store, range(10))
    with process(database, "relay", "projector", KAFKA_BOOTSTRAP_SERVERS=kafka) as started:
        wait_for(store, "contacts")
        write(store, range(10, 20))
        wait_for(store, "contacts")
        started.send_signal(signal.SIGINT)
        started.communicate(timeout=DEADLINE)
        assert started.returncode == 0


@pytest.fixture
def own_broker(kafka: str, tmp_path: Path) -> Kafka:
    """A broker that the test may stop; not yet started. There is one, since the run's own could be started."""
    assert kafka
    runtime = find_runtime(Settings.read(required=()).data_dir / "cache", tmp_path / "maven.log", print)
    broker = Kafka(tmp_path / "kafka", tmp_path / "kafka.log", runtime)
    broker.prepare()
    return broker


@pytest.mark.kafka
def test_read_models_stay_current_without_the_broker_and_come_to_the_same_with_it(
    database: str, store: Store, own_broker: Kafka
) -> None:
    with process(database, "relay", "projector", KAFKA_BOOTSTRAP_SERVERS=own_broker.bootstrap):
        with own_broker.running():
            write(store, range(20))
            wait_for(store, "contacts")
        tag(store, range(1, 11), "without")
        wait_for(store, "contacts")
        with own_broker.running():
            tag(store, range(1, 11), "with")
            head = [(store.recorder.head(),)]
            relayed = "SELECT position FROM relay"
            wait_until(database, lambda c: c.execute(relayed).fetchall() == head, "all to be published")
            wait_for(store, "contacts")
    assert_equals_replay(store)


@pytest.mark.parametrize("names", [["relay"], ["nobody"], []], ids=["no Kafka", "unknown", "none"])
def test_what_cannot_be_started_is_said_at_once(database: str, names: list[str]) -> None:
    with process(database, *names) as started:
        _, said = started.communicate(timeout=DEADLINE)
    assert started.returncode == 2
    assert "error:" in said


def test_all_is_every_consumer_that_has_something_to_do() -> None:
    direct, through_kafka = Settings(), Settings(kafka_bootstrap_servers="broker:9092")
    assert "relay" not in chosen(["all"], direct)
    assert {"relay", "projector"} <= set(chosen(["all"], through_kafka))
    assert chosen(["projector", "projector"], direct) == ["projector"]
    with pytest.raises(BadSettingsError):
        chosen(["relay"], direct)


def test_a_defect_in_one_consumer_stops_the_process(caplog: pytest.LogCaptureFixture) -> None:
    def broken(_: Flag) -> None:
        raise KeyError("ada@example.com")

    def waiting(stop: Flag) -> None:
        assert stop.wait(DEADLINE)

    assert Process({"broken": broken, "waiting": waiting}).run() == 1
    assert [record.message for record in caplog.records] == ["consumer broke"]


def test_what_is_lost_is_sought_again(caplog: pytest.LogCaptureFixture) -> None:
    tries: list[int] = []

    def trying(stop: Flag) -> None:
        tries.append(len(tries))
        if len(tries) < 3:
            raise psycopg.OperationalError
        stop.set()

    assert Process({"trying": trying}).run() == 0
    assert tries == [0, 1, 2]
    assert [record.message for record in caplog.records] == ["session lost", "session lost"]
