"""The rebuilder does what operators ask for, and what a new release makes necessary, in processes of its own."""

from __future__ import annotations

from typing import Any

import pytest

from consumers.rebuilder import Rebuilder
from consumers.session import Connection, connect
from domain.store.log import Store
from projections import contacts
from projections.rebuild.database import Database
from projections.rebuild.journal import Journal
from projections.rebuild.refusals import RunningError
from projections.rebuild.request import ask, due
from projections.rebuild.status import Rebuild, Status, statuses
from projections.schema import read_models
from tests.consumers.conftest import Direct
from tests.consumers.running import assert_equals_replay, running, wait_for, write
from tests.projections.conftest import MASTER_KEY
from tests.waiting import wait_until


@pytest.fixture
def connection(database: str) -> Any:
    with connect(database, "test") as connection:
        yield connection


@pytest.fixture
def rebuilder(database: str) -> Rebuilder:
    return Rebuilder(Database(database, MASTER_KEY), "WARNING")


def status(connection: Connection, name: str = "contacts") -> Status:
    return next(status for status in statuses(connection) if status.name == name)


def last(connection: Connection) -> Rebuild:
    found = status(connection).rebuild
    assert found is not None
    return found


def test_what_was_asked_for_is_done_and_told(store: Store, connection: Connection, rebuilder: Rebuilder) -> None:
    with running(Direct(store).projector()):
        write(store, range(30))
        wait_for(store)
    connection.execute("DELETE FROM contacts WHERE contact_id = 7")
    ask(connection, contacts.PROJECTION, "verify")
    assert (last(connection).asked, last(connection).running) == (True, False)
    with running(rebuilder.session):
        wait_until(lambda: not last(connection).asked, "the verification")
        verified = last(connection)
        ask(connection, contacts.PROJECTION, "rebuild")
        wait_until(lambda: not last(connection).asked, "the rebuild")
    assert (verified.purpose, verified.stage, verified.error) == ("verify", "done", None)
    assert verified.outcome is not None
    assert [(first.kind, first.key["contact_id"]) for first in verified.outcome.first] == [("missing", "7")]
    assert last(connection).purpose == "rebuild"
    assert_equals_replay(store)


def test_what_was_asked_for_outlasts_a_restart(
    store: Store, connection: Connection, rebuilder: Rebuilder, database: str
) -> None:
    with running(Direct(store).projector()):
        write(store, range(5))
        wait_for(store)
    ask(connection, contacts.PROJECTION, "rebuild")
    with connect(database, "a long export") as holder, holder.transaction():
        holder.execute("SELECT FROM contacts LIMIT 1")
        with running(rebuilder.session):
            wait_until(lambda: last(connection).stage == "swapping", "the swap to wait")
    wait_until(lambda: not last(connection).running, "the stopped rebuild's session to end")
    assert (last(connection).asked, last(connection).stage) == (True, "stopped")
    with running(Rebuilder(Database(database, MASTER_KEY), "WARNING").session):
        wait_until(lambda: not last(connection).asked, "the rebuild")
    assert last(connection).stage == "done"
    assert_equals_replay(store)


def test_a_model_of_another_version_is_rebuilt_and_then_followed(
    store: Store, connection: Connection, rebuilder: Rebuilder
) -> None:
    with running(Direct(store).projector()):
        write(store, range(5))
        wait_for(store)
        connection.execute("UPDATE read_models SET version = 0 WHERE name = 'contacts'")
        assert [request.projection.name for request in due(connection)] == ["contacts"]
        write(store, range(5, 10))
        with running(rebuilder.session):
            wait_until(lambda: status(connection).current, "the rebuild")
        assert due(connection) == []
        write(store, range(10, 15))
        wait_for(store)
    assert_equals_replay(store)


def test_one_thing_is_asked_for_at_a_time(store: Store, connection: Connection) -> None:
    write(store, range(2))
    ask(connection, contacts.PROJECTION, "verify")
    ask(connection, contacts.PROJECTION, "verify")
    with pytest.raises(RunningError):
        ask(connection, contacts.PROJECTION, "rebuild")
    assert [request.purpose for request in due(connection) if request.projection is contacts.PROJECTION] == ["verify"]


@pytest.mark.usefixtures("store")
def test_the_end_of_another_rebuild_leaves_what_was_asked_for(connection: Connection) -> None:
    journal = Journal(connection, contacts.PROJECTION.name)
    journal.begin("verify", 1, "shape", 0, 0)
    ask(connection, contacts.PROJECTION, "rebuild")
    journal.end("done")
    assert last(connection).asked
    journal.resume("rebuild")
    journal.end("done")
    assert not last(connection).asked


def test_what_fails_is_told_and_no_longer_asked_for(store: Store, connection: Connection, rebuilder: Rebuilder) -> None:
    write(store, range(2))
    ask(connection, contacts.PROJECTION, "verify")
    with running(rebuilder.session):
        wait_until(lambda: not last(connection).asked, "the verification to fail")
    assert last(connection).stage == "failed"
    assert "no projector follows" in (last(connection).error or "")


def test_every_model_has_a_status(connection: Connection, store: Store) -> None:
    head = write(store, range(2))[-1]
    found = statuses(connection)
    assert [status.name for status in found] == sorted(model.name for model in read_models())
    assert all(status.current and status.lag_events == head and status.rebuild is None for status in found)
