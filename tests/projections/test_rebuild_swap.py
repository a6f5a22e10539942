"""The swap and those who use the tables: readers wait a moment or have their time, grants and views stay."""

from __future__ import annotations

import psycopg
import pytest

from consumers.session import Connection, connect
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import rebuild
from projections.rebuild.refusals import DependentError
from tests.projections.building import beside, contacts, followed, people, schemas
from tests.projections.conftest import MASTER_KEY
from tests.projections.test_rebuild import one, stage
from tests.waiting import wait_until


@pytest.fixture
def rebuilds(database: str) -> Database:
    return Database(database, MASTER_KEY)


def test_a_reader_that_holds_the_tables_delays_the_swap_and_no_other_reader(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    followed(store, connection, people(3))
    waits: list[str] = []
    with connect(database, "a long export") as holder, holder.transaction():
        holder.execute("SELECT FROM contacts LIMIT 1")

        def watch(progress: Progress) -> None:
            if progress.note:
                waits.append(progress.note)

        with beside(lambda: rebuild(rebuilds, PROJECTION, watch=watch)):
            wait_until(lambda: "a long export" in waits, "the swap to wait for the export")
            connection.execute("SET statement_timeout = '5s'")
            for _ in range(50):
                assert len(contacts(connection)) == 3
            holder.execute("ROLLBACK")
            holder.execute("BEGIN")
    assert "a long export" in waits
    assert stage(connection) == ("done", None)


def test_a_reader_of_one_snapshot_finds_all_rows_once_it_holds_the_tables(
    store: Store, connection: Connection, rebuilds: Database, database: str
) -> None:
    followed(store, connection, people(3))
    with psycopg.connect(database) as reader:
        reader.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        with beside(lambda: rebuild(rebuilds, PROJECTION)) as thread:
            for _ in range(1000):
                reader.execute("LOCK TABLE contacts IN ACCESS SHARE MODE")
                assert reader.execute("SELECT count(*) FROM contacts").fetchone() == (3,)
                reader.rollback()
                if not thread.is_alive():
                    break


def test_grants_and_views_outlast_it(store: Store, connection: Connection, rebuilds: Database) -> None:
    followed(store, connection, people(3))
    role = f"reader_{one(connection, 'SELECT pg_backend_pid()')}"
    connection.execute(f"CREATE ROLE {role}")
    try:
        connection.execute(f"GRANT SELECT ON contacts TO {role}")
        connection.execute("CREATE VIEW mine WITH (security_barrier) AS SELECT email FROM contacts")
        rebuild(rebuilds, PROJECTION)
        assert one(connection, f"SELECT has_table_privilege('{role}', 'contacts', 'SELECT')")
        assert not one(connection, f"SELECT has_table_privilege('{role}', 'contacts', 'INSERT')")
        assert one(connection, "SELECT count(*) FROM mine") == 3
        assert one(connection, "SELECT reloptions::text FROM pg_class WHERE relname = 'mine'")
        assert one(connection, "SELECT count(*) FROM analytics.contacts") == 3
    finally:
        connection.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_view_that_cannot_be_made_again_stops_the_swap(
    store: Store, connection: Connection, rebuilds: Database
) -> None:
    followed(store, connection, people(3))
    connection.execute("CREATE MATERIALIZED VIEW mine AS SELECT email FROM contacts")
    with pytest.raises(DependentError, match=r"drop the views public\.mine first"):
        rebuild(rebuilds, PROJECTION)
    assert one(connection, "SELECT count(*) FROM contacts") == 3
    connection.execute("DROP MATERIALIZED VIEW mine")
    rebuild(rebuilds, PROJECTION)
    assert schemas(connection) == []
