"""The library's Postgres recorder over our log table: one ordered append, bulk COPY, reads in log order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, cast
from uuid import UUID, uuid4

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.conninfo import conninfo_to_dict
from psycopg.rows import TupleRow, tuple_row

from domain.store import arrays
from domain.store.append import COPY_COLUMNS, Append, Appended, Row, call_arrays, claim_arrays, copy_rows
from domain.store.recorded import SELECT, Recorded

COPY_FROM = 400
"""Events from which COPY beats the append function: it costs three round trips more and half the time per event."""

RECONNECT_SECONDS = 2.0
"""How long a pool tries to replace a lost connection with growing pauses; after that each request tries."""

HEAD = "SELECT max(notification_id) FROM log"
APPEND = """
SELECT head, lost FROM log_append(
    %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b,
    %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b)
"""
CLAIM = "SELECT head, lost FROM log_claim(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b)"
READ = SELECT + "WHERE notification_id > %b ORDER BY notification_id LIMIT %b"


class LogDatastore(PostgresDatastore):
    """Connections for the log: plans that hold from the first row on, binary arrays."""

    def after_connect_func(self) -> Callable[[psycopg.Connection[Any]], None]:
        """Set each new connection up. Sequential scans and hash joins would stay in plans made on empty tables."""

        def after_connect(connection: psycopg.Connection[Any]) -> None:
            connection.autocommit = True
            connection.execute("SET enable_seqscan = off")
            connection.execute("SET enable_hashjoin = off")
            connection.execute("SET enable_mergejoin = off")
            connection.execute("SET enable_material = off")
            connection.execute("SET jit = off")
            connection.execute("SET plan_cache_mode = force_generic_plan")
            connection.execute("SET timezone = 'UTC'")
            arrays.register(connection)

        return after_connect


class LogRecorder(PostgresApplicationRecorder):
    """Reads and appends the table ``log``. The schema is installed apart, by :mod:`domain.store.schema`."""

    def __init__(self, conninfo: str, *, pool_size: int = 1, max_connections: int = 6) -> None:
        parts = conninfo_to_dict(conninfo)
        datastore = LogDatastore(
            dbname=str(parts.pop("dbname", "")),
            host=str(parts.pop("host", "")),
            port=str(parts.pop("port", "")),
            user=str(parts.pop("user", "")),
            password=str(parts.pop("password", "")),
            connect_timeout=3.0,
            pool_size=pool_size,
            max_overflow=max_connections - pool_size,
        )
        # The library knows neither sslmode and its like, nor when to stop trying alone and let requests try at once.
        datastore.pool.kwargs = cast("dict[str, Any]", datastore.pool.kwargs or {}) | parts
        datastore.pool.reconnect_timeout = RECONNECT_SECONDS
        super().__init__(datastore, events_table_name="log")

    def create_table(self) -> None:
        """Do nothing: the table is ours, see schema.sql."""

    def cursor(self, connection: psycopg.Connection[Any]) -> psycopg.Cursor[TupleRow]:
        """A binary cursor of tuples."""
        return connection.cursor(binary=True, row_factory=tuple_row)

    def append(self, batch: Append) -> Appended:
        """Append in one transaction. Raises the library's persistence errors; then nothing was written,
        or, for OperationalError, the outcome is unknown.
        """
        with self.datastore.get_connection() as connection:
            if len(batch.rows) >= COPY_FROM and not batch.answers and not batch.forget:
                return self._append_by_copy(connection, batch)
            return self._append_by_call(connection, batch)

    def _append_by_call(self, connection: psycopg.Connection[Any], batch: Append) -> Appended:
        row = self.cursor(connection).execute(APPEND, call_arrays(batch), prepare=True).fetchone()
        return appended(row)

    def _append_by_copy(self, connection: psycopg.Connection[Any], batch: Append) -> Appended:
        with connection.transaction():
            cursor = self.cursor(connection)
            *_, streams, _ = claims = claim_arrays(batch)
            before = appended(cursor.execute(CLAIM, claims, prepare=True).fetchone())
            rows = [row for row in batch.rows if row.stream not in before.lost] if before.lost else batch.rows
            with cursor.copy(f"COPY log ({COPY_COLUMNS}) FROM STDIN (FORMAT binary)") as copy:
                copy.write(copy_rows(rows, before.head))
            head = before.head + len(rows)
            cursor.execute("SELECT log_notify(%b, %b, %b)", (head, bool(rows), streams))
        return Appended(head, before.lost)

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        """The library's own entry to the same append. Raises IntegrityError when a version is taken."""
        now = datetime.now(UTC)
        correlation = uuid4()
        rows = [
            Row(UUID(str(e.originator_id)), e.originator_version, e.topic, e.state, 0, 0, 0, now, correlation, None, "")
            for e in stored_events
        ]
        heads: dict[UUID, int] = {}
        for row in rows:
            heads.setdefault(row.stream, row.version - 1)
        result = self.append(Append([], [], list(heads.items()), rows, [], []))
        if result.lost:
            msg = "a version of the stream is there already"
            raise IntegrityError(msg)
        return range(result.head - len(rows) + 1, result.head + 1)

    def head(self) -> int:
        """The position of the last event; 0 for an empty log. Raises OperationalError; nothing is tried again."""
        with self.datastore.get_connection() as connection:
            row = self.cursor(connection).execute(HEAD, prepare=True).fetchone()
        return int(row[0] or 0) if row else 0

    def read(self, after: int, limit: int) -> list[Recorded]:
        """Events in log order with positions above ``after``, at most ``limit``."""
        return self.query(READ, (after, limit))

    def query(self, sql: str, parameters: Sequence[Any]) -> list[Recorded]:
        """Events of a query that selects :data:`SELECT`'s columns."""
        with self.datastore.get_connection() as connection:
            cursor = self.cursor(connection).execute(sql, parameters, prepare=True)
            return [Recorded(*row) for row in cursor.fetchall()]


def appended(row: TupleRow | None) -> Appended:
    """The answer of the append and claim functions."""
    head, lost = row or (0, ())
    return Appended(head, frozenset(lost))
