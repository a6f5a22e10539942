"""A rebuild that is killed leaves the live rows as they are, and the next one goes on or begins anew."""

from __future__ import annotations

import subprocess
import sys

import psycopg

from consumers.session import Connection, connect
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import rebuild
from projections.rebuild.request import clear_abandoned
from projections.rebuild.status import statuses
from tests.projections.building import contacts, followed, people, schemas
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import replayed, rows
from tests.projections.test_rebuild import stage
from tests.waiting import wait_until


def is_running(connection: Connection) -> bool:
    [status] = [status for status in statuses(connection) if status.name == "contacts"]
    return status.rebuild is not None and status.rebuild.running


def kill(conninfo: str, connection: Connection, halt_at: str, done: int = 0) -> None:
    """Start a rebuild, wait until it is at the stage, and kill it."""
    command = [sys.executable, "-m", "tests.projections.rebuild_process", conninfo, halt_at, str(done)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "halted\n"
        assert is_running(connection)
        process.kill()
    wait_until(lambda: not is_running(connection), "the killed rebuild's session to end")


def test_killed_at_every_stage_in_turn(store: Store, connection: Connection, database: str) -> None:
    followed(store, connection, people(60))
    before = contacts(connection)
    for halt_at, done in (("filling", 60), ("indexing", 0), ("catching up", 0), ("comparing", 0)):
        kill(database, connection, halt_at, done)
        assert stage(connection) == (halt_at, None)
        assert contacts(connection) == before
    with connect(database, "a reader") as reader, reader.transaction():
        reader.execute("SELECT FROM contacts LIMIT 1")
        kill(database, connection, "swapping")
    assert contacts(connection) == before
    comparison = rebuild(Database(database, MASTER_KEY), PROJECTION)
    assert comparison is not None
    assert comparison.equal
    assert (contacts(connection), schemas(connection)) == (before, [])
    assert rows(connection, PROJECTION) == replayed(database, store, PROJECTION)


def left_after_clearing(connection: Connection) -> list[str]:
    clear_abandoned(connection)
    return schemas(connection)


def test_what_nobody_goes_on_with_for_an_hour_is_dropped(store: Store, connection: Connection, database: str) -> None:
    followed(store, connection, people(5))
    kill(database, connection, "indexing")
    assert left_after_clearing(connection) == ["rebuild_contacts"]
    connection.execute("UPDATE rebuilds SET updated_at = now() - interval '2 hours'")
    assert left_after_clearing(connection) == []
    assert stage(connection) == ("abandoned", None)
    rebuild(Database(database, MASTER_KEY), PROJECTION)
    assert stage(connection) == ("done", None)


def test_what_a_finished_one_left_is_dropped_at_once(store: Store, connection: Connection, database: str) -> None:
    followed(store, connection, people(5))
    rebuild(Database(database, MASTER_KEY), PROJECTION)
    connection.execute("CREATE SCHEMA retired_contacts")
    assert left_after_clearing(connection) == []
    assert stage(connection) == ("done", None)


def test_one_that_runs_is_never_dropped(connection: Connection, database: str) -> None:
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(hashtextextended('datamailer rebuild ' || 'contacts', 0))")
        other.execute("CREATE SCHEMA rebuild_contacts")
        assert left_after_clearing(connection) == ["rebuild_contacts"]
    wait_until(lambda: left_after_clearing(connection) == [], "the leftover to be dropped")
