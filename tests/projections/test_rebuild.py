"""A rebuild from its beginning to the swap, and everything that may stop it: the live rows stand meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from consumers.session import Connection
from domain.store.log import Store
from projections import category_choices
from projections.contacts import PROJECTION
from projections.engine import Applied, OtherVersion
from projections.projection import RowFold
from projections.rebuild import stretches
from projections.rebuild.database import Database
from projections.rebuild.journal import Journal
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import rebuild, verify
from projections.rebuild.refusals import IncomparableError, StoppedError
from projections.schema import install_read_models
from tests.projections.building import contacts, erase, followed, people, schemas, stopping
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import deliver, put, replayed, rows

assert isinstance(PROJECTION.fold, RowFold)
IN_LOG_ORDER = replace(PROJECTION, fold=replace(PROJECTION.fold, streams=()))


@pytest.fixture
def rebuilds(database: str, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Rebuilds in small stretches."""
    monkeypatch.setattr(stretches, "SIZE", 10)
    return Database(database, MASTER_KEY)


def stage(connection: Connection, model: str = "contacts") -> tuple[Any, ...] | None:
    return connection.execute("SELECT stage, error FROM rebuilds WHERE projection = %s", (model,)).fetchone()


def checkpoint(connection: Connection, model: str = "contacts") -> list[Any]:
    query = "SELECT partition, partitions, position, parked_error FROM checkpoints WHERE projection = %s"
    return connection.execute(query, (model,)).fetchall()


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    return row and row[0]


def test_damaged_rows_are_told_and_mended(store: Store, connection: Connection, rebuilds: Database) -> None:
    events = followed(store, connection, people(20))
    whole = contacts(connection)
    connection.execute("UPDATE contacts SET email = 'eve@example.com' WHERE contact_id = 3")
    connection.execute("DELETE FROM contacts WHERE contact_id > 15")
    comparison = rebuild(rebuilds, PROJECTION)
    assert comparison is not None
    assert [table.differing_rows for table in comparison.tables] == [6]
    assert contacts(connection) == whole
    assert checkpoint(connection) == [(0, 1, len(events), None)]
    assert stage(connection) == ("done", None)
    assert schemas(connection) == []


def test_the_new_tables_are_like_the_old_ones(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(3))
    query = """
    SELECT indexdef, NULL FROM pg_indexes WHERE schemaname = 'public' AND tablename = 'contacts'
    UNION ALL SELECT attname, attnotnull || attgenerated::text FROM pg_attribute
    WHERE attrelid = 'contacts'::regclass AND attnum > 0
    UNION ALL SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'contacts'::regclass
    UNION ALL SELECT relpersistence::text, array_to_string(reloptions, ' ') FROM pg_class
    WHERE oid = 'contacts'::regclass
    ORDER BY 1
    """
    before, made = connection.execute(query).fetchall(), one(connection, "SELECT 'contacts'::regclass::oid::bigint")
    rebuild(rebuilds, PROJECTION)
    assert connection.execute(query).fetchall() == before
    assert one(connection, "SELECT 'contacts'::regclass::oid::bigint") != made


def test_several_processes_fill_together(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(60))
    comparison = rebuild(rebuilds, PROJECTION, processes=3)
    assert comparison is not None
    assert comparison.equal
    assert comparison.tables[0].rows == 60


def test_what_was_never_followed_goes_on_from_the_rebuild(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    events = put(store, connection, people(5))
    assert rebuild(rebuilds, PROJECTION) is None
    assert checkpoint(connection) == [(0, 1, len(events), None)]
    more = put(store, connection, people(5, 5), len(events))
    assert deliver(connection, store, PROJECTION, more, prev=len(events)) == Applied()
    assert rows(connection, PROJECTION) == replayed(database, store, PROJECTION)


def test_a_parked_model_goes_on_from_its_rebuild(store: Store, connection: Connection, rebuilds: Database) -> None:
    events = followed(store, connection, people(5))
    connection.execute("UPDATE checkpoints SET parked_position = position + 1, parked_error = 'ValueError'")
    rebuild(rebuilds, PROJECTION)
    assert checkpoint(connection) == [(0, 1, len(events), None)]


def test_tables_of_another_version_stand_still_until_the_rebuild(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    events = followed(store, connection, people(5))
    newer = replace(PROJECTION, version=2, ddl=PROJECTION.ddl.replace(") WITH", ", more integer) WITH", 1))
    late = put(store, connection, people(2, 5), len(events))
    before = contacts(connection)
    with pytest.raises(OtherVersion):
        deliver(connection, store, newer, late, prev=len(events))
    with pytest.raises(IncomparableError, match="another version"):
        verify(rebuilds, newer)
    assert contacts(connection) == before
    assert rebuild(rebuilds, newer) is None
    assert one(connection, "SELECT version FROM read_models WHERE name = 'contacts'") == 2
    assert one(connection, "SELECT count(*) FROM contacts WHERE more IS NULL") == 7
    with pytest.raises(OtherVersion):
        deliver(connection, store, PROJECTION, [], prev=len(events) + len(late))
    install_read_models(database)
    assert one(connection, "SELECT version FROM read_models WHERE name = 'contacts'") == 2


def test_a_model_that_is_new_to_a_history_waits_for_its_rebuild(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    put(store, connection, people(3))
    connection.execute("DROP TABLE category_choices CASCADE; DELETE FROM read_models WHERE name = 'category_choices'")
    install_read_models(database)
    assert one(connection, "SELECT version FROM read_models WHERE name = 'category_choices'") == 0
    rebuild(rebuilds, category_choices.PROJECTION)
    assert one(connection, "SELECT version FROM read_models WHERE name = 'category_choices'") == 1


def test_a_table_that_the_new_version_lacks_goes(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(1))
    connection.execute("CREATE TABLE gone (email text)")
    connection.execute("UPDATE read_models SET tables = '{contacts,gone}' WHERE name = 'contacts'")
    rebuild(rebuilds, PROJECTION)
    assert one(connection, "SELECT to_regclass('gone')::text") is None


def test_a_person_whose_keys_are_gone_does_not_stop_it(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    put(store, connection, people(6))
    events = followed(store, connection, [erase("person2@example.com"), *people(1, 6)])
    assert one(connection, "SELECT count(*) FROM identities") == 6
    comparison = rebuild(rebuilds, PROJECTION)
    assert comparison is not None
    assert comparison.equal
    assert one(connection, "SELECT count(*) FROM contacts") == 6
    assert checkpoint(connection) == [(0, 1, len(events), None)]
    assert rows(connection, PROJECTION) == replayed(database, store, PROJECTION)


@pytest.mark.parametrize("by_stream", [True, False])
def test_stopped_it_goes_on_where_it_was(
    store: Store, connection: Connection, rebuilds: Database, monkeypatch: pytest.MonkeyPatch, *, by_stream: bool
) -> None:
    monkeypatch.setattr("projections.rebuild.build.CHUNK", 30)
    events = followed(store, connection, people(40))
    model = PROJECTION if by_stream else IN_LOG_ORDER
    with pytest.raises(StoppedError):
        rebuild(rebuilds, model, watch=stopping(lambda progress: progress.done >= 60))
    assert stage(connection) == ("stopped", None)
    entry = Journal(connection, "contacts").entry()
    assert entry is not None
    assert entry.as_of == len(events)
    there = one(connection, "SELECT count(*) FROM rebuild_contacts.contacts")
    assert 0 < there < 40
    seen: list[Progress] = []
    put(store, connection, people(3, 40), len(events))
    rebuild(rebuilds, model, watch=seen.append)
    filled = [progress for progress in seen if progress.stage == "filling" and progress.events]
    assert all(progress.done >= 60 for progress in filled) if by_stream else filled[-1].events <= len(events) - 60
    assert len(contacts(connection)) == 40
    assert schemas(connection) == []


def test_what_another_making_left_is_cleared_away(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(3))
    with pytest.raises(StoppedError):
        rebuild(rebuilds, PROJECTION, watch=stopping(lambda progress: progress.stage == "indexing"))
    connection.execute("UPDATE rebuild_contacts.contacts SET email = 'left'")
    rebuild(rebuilds, replace(PROJECTION, indexes="CREATE INDEX IF NOT EXISTS contacts_email ON contacts (email);"))
    assert one(connection, "SELECT count(*) FROM contacts WHERE email = 'left'") == 0
    assert one(connection, "SELECT to_regclass('contacts_contact')::text") is None
