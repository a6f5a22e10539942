"""What this machine can do at best, measured in the same run as the service."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg

from bench.load.job import Job
from bench.load.process import run
from bench.stack import free_port
from bench.stand import Stand, clean
from config.local.plan import ROOT
from config.local.program import Program
from config.local.web import get

EMPTY_HANDLER = "empty handler"
RAW_COPY = "raw COPY"
RAW_READ = "raw read"
START_SECONDS = 20.0

COPY_TABLE: LiteralString = "CREATE TABLE bench_copy (LIKE log INCLUDING ALL)"
LAST_EVENTS: LiteralString = """
COPY (SELECT * FROM (SELECT * FROM log ORDER BY notification_id DESC LIMIT %s) AS last ORDER BY notification_id)
TO STDOUT (FORMAT binary)
"""


@contextmanager
def empty_server(stand: Stand) -> Iterator[int]:
    """Run the empty handler for the length of a ``with`` block; gives its port."""
    port = free_port()
    log = stand.stack.folder / "logs" / "empty.log"
    server = Program(name="empty", command=[sys.executable, "-m", "bench.empty", str(port)], log=log, folder=ROOT)
    server.start()
    try:
        server.wait_until(lambda: get("127.0.0.1", port, "/")[0] != 0, START_SECONDS)
        yield port
    finally:
        server.stop()


def empty_handler(stand: Stand, requests: Sequence[bytes], connections: int) -> float:
    """Requests per second of a handler that does nothing, with the same requests from the same client."""
    with empty_server(stand) as port:
        seconds = stand.scale.seconds / 4
        job = Job(port=port, requests=list(requests), connections=connections, seconds=seconds, repeat=True)
        return clean(run(job)).per_second


def raw_copy(connection: psycopg.Connection[Any], events: int) -> float:
    """Rows per second of a COPY of the log's last events into a table like it, its commit included."""
    connection.execute(COPY_TABLE)
    with connection.cursor() as cursor:
        try:
            with cursor.copy(LAST_EVENTS, (events,)) as out:
                data = b"".join(bytes(part) for part in out)
            began = time.perf_counter()
            with cursor.copy("COPY bench_copy FROM STDIN (FORMAT binary)") as copy:
                copy.write(data)
            return cursor.rowcount / (time.perf_counter() - began)
        finally:
            connection.execute("DROP TABLE bench_copy")


def raw_read(connection: psycopg.Connection[Any], table: LiteralString) -> float:
    """Rows per second of a whole table, read out as it lies and thrown away."""
    return copied_out(connection, f"COPY {table} TO STDOUT (FORMAT binary)")


def copied_out(connection: psycopg.Connection[Any], sql: LiteralString, *parameters: object) -> float:
    """Rows per second of a COPY TO whose data is thrown away."""
    began = time.perf_counter()
    with connection.cursor() as cursor:
        with cursor.copy(sql, parameters) as out:
            for _ in out:
                pass
        return cursor.rowcount / (time.perf_counter() - began)
