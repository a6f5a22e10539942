"""A rebuild that is killed leaves the live rows as they are, and the next one goes on or begins anew."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import psycopg
import pytest

from consumers.session import Connection, connect
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.generation import Generation
from projections.rebuild.rebuilding import read_model, rebuild
from projections.rebuild.request import clear_abandoned
from projections.rebuild.status import statuses
from tests.consumers.busy import Office
from tests.projections.building import contacts, followed, people, schemas
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import replayed, rows
from tests.projections.test_rebuild import stage
from tests.waiting import wait_until

AT_WORK = """
SELECT FROM pg_stat_activity WHERE application_name = 'datamailer.rebuild' AND datname = current_database()
"""


CATALOG = """
SELECT relnamespace::regnamespace::text, relname, relkind::text FROM pg_class
WHERE relkind <> 't' AND relnamespace <> 'pg_toast'::regnamespace
UNION ALL SELECT connamespace::regnamespace::text, conname, pg_get_constraintdef(oid) FROM pg_constraint
ORDER BY 1, 2, 3
"""


def is_running(connection: Connection) -> bool:
    """Whether a session that builds is there: those of its crew too."""
    return connection.execute(AT_WORK).rowcount > 0


@contextmanager
def process(conninfo: str, name: str, halt_at: str = "", done: int = 0, processes: int = 1) -> Iterator[IO[str]]:
    """A rebuild in a process of its own, which is killed at the end of the block; gives what it tells."""
    module = [sys.executable, "-m", "tests.projections.rebuild_process"]
    command = [*module, conninfo, name, str(processes), halt_at, str(done)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        yield running.stdout
        running.kill()


def kill(
    conninfo: str, connection: Connection, halt_at: str, done: int = 0, name: str = "contacts", processes: int = 1
) -> None:
    """Start a rebuild, wait until it is at the stage, and kill it."""
    with process(conninfo, name, halt_at, done, processes) as told:
        assert "halted\n" in iter(told.readline, "")
        [status] = [status for status in statuses(connection) if status.name == name]
        assert status.rebuild is not None
        assert status.rebuild.running
    wait_until(lambda: not is_running(connection), "the killed rebuild's sessions to end")


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


@pytest.mark.parametrize(("name", "processes"), [("contacts", 2), ("campaign_recipients", 1)])
def test_killed_at_random_moments(
    store: Store, connection: Connection, database: str, name: str, processes: int
) -> None:
    """After any number of steps, in the midst of what follows: a swap is done or not, and the rows are the same."""
    model = read_model(name)
    for n in range(3):
        Office(store).mail(n)
    followed(store, connection, people(20), model)
    before, catalog = rows(connection, model), cataloged(connection)
    for steps in random.sample(range(1, 25), 2):
        with process(database, name, processes=processes) as told:
            for _ in range(steps):
                told.readline()
        wait_until(lambda: not is_running(connection), "the killed rebuild's sessions to end")
        assert rows(connection, model) == before, f"killed after {steps} steps"
    comparison = rebuild(Database(database, MASTER_KEY), model)
    assert comparison is not None
    assert comparison.equal
    assert comparison.tables[0].rows > 0
    assert (rows(connection, model), schemas(connection), cataloged(connection)) == (before, [], catalog)


def cataloged(connection: Connection) -> list[Any]:
    """Every table, view, index, sequence and constraint, in whatever schema."""
    return connection.execute(CATALOG).fetchall()


class Killed(BaseException):
    """The process is no more."""


@pytest.mark.parametrize("name", ["contacts", "campaign_recipients", "recipient_lists"])
def test_killed_right_behind_the_swap_the_next_one_begins_anew(
    store: Store, connection: Connection, database: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    model = read_model(name)
    followed(store, connection, people(5), model)
    before = rows(connection, model)

    drop = Generation.drop

    def killed(generation: Generation) -> None:
        if stage(connection, name) == ("done", None):
            raise Killed
        drop(generation)

    with monkeypatch.context() as patched:
        patched.setattr(Generation, "drop", killed)
        with pytest.raises(Killed):
            rebuild(Database(database, MASTER_KEY), model)
    assert stage(connection, name) == ("done", None)
    assert schemas(connection) == [f"rebuild_{name}", f"retired_{name}"]
    comparison = rebuild(Database(database, MASTER_KEY), model)
    assert comparison is not None
    assert comparison.equal
    assert (rows(connection, model), schemas(connection)) == (before, [])


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
