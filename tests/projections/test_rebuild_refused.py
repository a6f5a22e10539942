"""What a rebuild refuses or cannot do: it says so without personal data, and the live rows stand."""

from __future__ import annotations

import re

import psycopg
import pytest
from msgspec.structs import replace

from consumers.session import Connection
from domain.store.log import Store
from domain.store.schema import install_schema
from projections import directory
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import read_model, rebuild, verify
from projections.rebuild.refusals import BadEventError, BrokenError, LostKeyError, RunningError, UnknownModelError
from tests.projections.building import contacts, followed, people
from tests.projections.conftest import MASTER_KEY
from tests.projections.test_rebuild import IN_LOG_ORDER, one, stage


@pytest.fixture
def rebuilds(database: str) -> Database:
    return Database(database, MASTER_KEY)


@pytest.mark.parametrize("by_stream", [True, False])
@pytest.mark.parametrize("topic", ["contact.tagged@99", "contact.promoted@1"])
def test_an_event_that_this_code_does_not_know_stops_it_with_its_position_and_topic(
    store: Store, connection: Connection, rebuilds: Database, topic: str, *, by_stream: bool
) -> None:
    """One of a version to come, and one of a kind to come."""
    followed(store, connection, people(10))
    before = contacts(connection)
    model = PROJECTION if by_stream else IN_LOG_ORDER
    at = one(connection, "SELECT notification_id FROM log WHERE topic = 'contact.tagged@1' ORDER BY 1 OFFSET 4")
    connection.execute("UPDATE log SET topic = %s WHERE notification_id = %s", (topic, at))
    message = rf"event {at} \({re.escape(topic)}\) cannot be applied: UnknownEvent"
    for build in (rebuild, verify):
        with pytest.raises(BadEventError, match=message):
            build(rebuilds, model)
        assert contacts(connection) == before
        said = stage(connection)
        assert said is not None
        assert said[0] == "failed"
    rebuild(rebuilds, directory.PROJECTION)
    connection.execute("UPDATE log SET topic = 'contact.tagged@1' WHERE notification_id = %s", (at,))
    comparison = rebuild(rebuilds, model)
    assert comparison is not None
    assert comparison.equal
    assert contacts(connection) == before


@pytest.mark.parametrize("gone", ["DELETE FROM root_key", "UPDATE root_key SET wrapped_key = %(other)s"])
def test_a_lost_root_key_stops_it_before_texts_are_lost(
    store: Store, connection: Connection, rebuilds: Database, empty_database: str, gone: str
) -> None:
    followed(store, connection, people(2))
    before = contacts(connection)
    connection.execute(gone, {"other": key_of_another_database(empty_database)})
    for build in (rebuild, verify):
        with pytest.raises(LostKeyError, match="the root key that wrapped the keys of contacts is gone"):
            build(rebuilds, PROJECTION)
    assert contacts(connection) == before


def key_of_another_database(conninfo: str) -> bytes:
    install_schema(conninfo)
    Store(conninfo, MASTER_KEY).close()
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT wrapped_key FROM root_key").fetchone()
    assert row is not None
    wrapped: bytes = row[0]
    return wrapped


def test_what_the_database_refuses_stops_it_by_its_kind_alone(
    store: Store, connection: Connection, rebuilds: Database
) -> None:
    followed(store, connection, people(3))
    before = contacts(connection)
    twice = replace(PROJECTION, indexes="CREATE UNIQUE INDEX IF NOT EXISTS twice ON contacts (organization_id);")
    with pytest.raises(BrokenError, match=r"contacts cannot be built: the database says UniqueViolation$"):
        rebuild(rebuilds, twice)
    assert stage(connection) == ("failed", "contacts cannot be built: the database says UniqueViolation")
    assert contacts(connection) == before


def test_a_fold_that_breaks_stops_it_without_personal_data(
    store: Store, connection: Connection, rebuilds: Database
) -> None:
    events = followed(store, connection, people(3))

    def broken(*_: object) -> None:
        raise ValueError("person1@example.com")

    with pytest.raises(BadEventError) as stopped:
        rebuild(rebuilds, replace(PROJECTION, fold=broken))
    assert str(stopped.value) == f"event {events[0].position} (contact.registered@1) cannot be applied: ValueError"


def test_one_at_a_time_for_a_model(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(3))
    refused: list[str] = []

    def watch(progress: Progress) -> None:
        if progress.stage == "indexing":
            with pytest.raises(RunningError, match="contacts is being rebuilt") as error:
                verify(rebuilds, PROJECTION)
            refused.append(str(error.value))
            rebuild(rebuilds, directory.PROJECTION)

    rebuild(rebuilds, PROJECTION, watch=watch)
    assert refused
    assert (stage(connection), stage(connection, "directory")) == (("done", None), ("done", None))


def test_there_is_no_such_model() -> None:
    with pytest.raises(UnknownModelError, match=r"there is no read model people; there are .*contacts"):
        read_model("people")
