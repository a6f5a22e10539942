"""Read models are rebuilt and verified while commands, consumers and readers go on: nobody notices."""

from __future__ import annotations

from itertools import count
from threading import Event as Flag

import psycopg

from consumers.session import Connection, connect
from domain.store.log import Store
from projections.checkpoint import reflected_position
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import rebuild, verify
from tests.consumers.conftest import Source
from tests.consumers.running import assert_equals_replay, running, tag, wait_for, write
from tests.projections.conftest import MASTER_KEY

BATCH = 50
READ = """
SELECT count(*), count(DISTINCT (audience_id, client_id, contact_id)) FROM contacts
WHERE audience_id = %s AND email LIKE %s
"""


class Writer:
    """Registers people without pause, and notes at which position how many there are."""

    def __init__(self, store: Store) -> None:
        self.registered: list[tuple[int, int]] = []
        self._store = store

    def session(self, stop: Flag) -> None:
        for start in count(0, BATCH):
            positions = write(self._store, range(start, start + BATCH), tag="t")
            self.registered.append((max(positions), start + BATCH))
            tag(self._store, [1 + start // BATCH], f"again {start}")
            if stop.is_set():
                return


class Reader:
    """Reads without pause, as the API does: a position that is reflected, then rows by a prepared statement."""

    def __init__(self, store: Store, writer: Writer) -> None:
        self.reads = 0
        self._store = store
        self._writer = writer

    def session(self, stop: Flag) -> None:
        with connect(self._store.conninfo, "test reads") as connection:
            while not stop.is_set():
                try:
                    self._read(connection)
                except psycopg.Error as error:
                    raise AssertionError("a read failed") from error

    def _read(self, connection: Connection) -> None:
        registered = list(self._writer.registered)
        position = reflected_position(connection, PROJECTION.name)
        there = max((people for at, people in registered if at <= position), default=0)
        row = connection.execute(READ, (3, "person%"), prepare=True).fetchone()
        assert row is not None
        assert row[0] == row[1] >= there
        self.reads += 1


def test_nobody_notices(source: Source, store: Store) -> None:
    writer = Writer(store)
    readers = [Reader(store, writer) for _ in range(2)]
    database = Database(store.conninfo, MASTER_KEY)
    with running(source.projector()):
        write(store, range(BATCH))
        wait_for(store)
        with running(writer.session, *(reader.session for reader in readers)):
            for _ in range(2):
                comparison = rebuild(database, PROJECTION)
                assert comparison is None or comparison.equal
            assert verify(database, PROJECTION).equal
            before = [reader.reads for reader in readers]
        wait_for(store)
    assert all(before)
    assert_equals_replay(store)
