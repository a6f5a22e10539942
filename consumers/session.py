"""Postgres sessions of consumers: set up, reading the log, waiting for it to grow, taking the lead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event as Flag
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from domain.store import arrays
from domain.store.recorded import COLUMNS, Recorded

Connection = psycopg.Connection[Any]

LOG_CHANNEL = "datamailer_log"
WAIT = 1.0
"""Seconds between looks when nobody wakes a session up."""

# What consumers write can be made anew from the log, so a commit need not wait for the disk: a crash of the server
# takes rows and checkpoint back together. Sequential scans and hash joins would stay in plans made on empty tables.
SETTINGS = """
SET synchronous_commit = off;
SET timezone = 'UTC';
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
SET plan_cache_mode = force_generic_plan;
"""
READ = f"SELECT {COLUMNS} FROM log WHERE notification_id > %b ORDER BY notification_id LIMIT %b"


def connect(conninfo: str, name: str) -> Connection:
    """Open an autocommit session that operators see under the name. Raises psycopg's OperationalError."""
    connection: Connection = psycopg.connect(
        conninfo, autocommit=True, application_name=name, connect_timeout=5, row_factory=tuple_row
    )
    with closed_on_error(connection):
        arrays.register(connection)
        connection.execute(SETTINGS)
    return connection


@contextmanager
def closed_on_error(connection: Connection) -> Iterator[None]:
    """Leave no session open that nobody got."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def read(connection: Connection, after: int, limit: int) -> list[Recorded]:
    """Events in log order with positions above ``after``."""
    rows = connection.cursor(binary=True).execute(READ, (after, limit), prepare=True).fetchall()
    return [Recorded(*row) for row in rows]


def head(connection: Connection) -> int:
    """The position of the last event; 0 for an empty log."""
    row = connection.execute("SELECT max(notification_id) FROM log").fetchone()
    return int(row[0] or 0) if row else 0


def listen(connection: Connection) -> None:
    """Have :func:`wait` return as soon as the log grows."""
    connection.execute(f"LISTEN {LOG_CHANNEL}")


def wait(connection: Connection, timeout: float) -> None:
    """Return when the log has grown since the last call, or after so many seconds."""
    for _ in connection.notifies(timeout=timeout, stop_after=1):
        pass


def lead(connection: Connection, name: str, stop: Flag) -> bool:
    """Wait until this session is the only one with the name's lead; it holds it until it ends. False when stopped."""
    while not stop.is_set():
        row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (name,)).fetchone()
        if row and row[0]:
            return True
        stop.wait(WAIT)
    return False
