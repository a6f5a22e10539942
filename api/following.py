"""Tells those who follow events live when there are new ones for their client, by one look at the log for all of them.

Nobody following costs nothing: the connection that listens lives as long as there are followers.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import psycopg

from api.errors import RETRY_AFTER_SECONDS, ApiError
from api.listener import Bell
from domain.store.history import Page, read_client
from domain.store.log import Store

MOST_STREAMS: Final = 10
"""Streams that one client may have open at a time on one server process."""

MOST_READS: Final = 2
"""Pages that are read at a time: the store's other connections are for commands."""

CALM_SECONDS: Final = 0.02
"""Pause between looks, so that a flood of appends is one look for many of them."""

LOOK_SECONDS: Final = 1.0
"""How long a lost notification can keep somebody waiting."""

MOST_NEWS: Final = 100_000
"""Positions to look through; after a longer absence everybody is told to look."""

HEAD: Final = "SELECT coalesce(max(notification_id), 0) FROM log"
NEWS: Final = "SELECT DISTINCT client_id FROM log WHERE notification_id > %s AND notification_id <= %s"

Connection = psycopg.AsyncConnection[Any]


class Following:
    """One per server process. ``closed`` once the server stops: every stream then ends."""

    def __init__(self, store: Store) -> None:
        self.closed = False
        self._store = store
        self._bells: dict[int, Bell] = {}
        self._open: Counter[int] = Counter()
        self._reads = asyncio.Semaphore(MOST_READS)
        self._watch: asyncio.Task[None] | None = None

    async def read(self, client_id: int, after: int, limit: int, topics: Sequence[str]) -> Page:
        """A page of the client's events. Raises Unavailable."""
        async with self._reads:
            return await asyncio.to_thread(read_client, self._store, client_id, after, limit, topics)

    @contextmanager
    def seat(self, client_id: int) -> Iterator[Bell]:
        """The bell that rings for a client's new events, as long as the stream is open.

        Raises ApiError 429 ``rate_limited`` when the client has too many streams.
        """
        if self._open[client_id] >= MOST_STREAMS:
            message = f"A client may follow its events {MOST_STREAMS} times at once."
            raise ApiError(429, "rate_limited", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})
        self._open[client_id] += 1
        try:
            if self._watch is None:
                self._watch = asyncio.create_task(self._run())
            yield self._bells.setdefault(client_id, Bell())
        finally:
            self._open[client_id] -= 1
            if not self._open[client_id]:
                del self._open[client_id], self._bells[client_id]
            if not self._open and self._watch is not None:
                self._watch.cancel()
                self._watch = None

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        self._ring(self._bells)

    def _ring(self, clients: Iterable[int]) -> None:
        for bell in [self._bells[client] for client in clients if client in self._bells]:
            bell.ring()

    async def _run(self) -> None:
        """Watch the log until cancelled, through every loss of the database."""
        while True:
            with suppress(psycopg.OperationalError):
                async with await Connection.connect(self._store.conninfo, autocommit=True) as connection:
                    await connection.execute("LISTEN datamailer_log")
                    await self._look(connection)
            await asyncio.sleep(LOOK_SECONDS)

    async def _look(self, connection: Connection) -> None:
        """Ring for the clients of each stretch of new events, and once for all: something may have been missed."""
        seen = 0
        while True:
            head = await value(connection, HEAD)
            if head - seen > MOST_NEWS or not seen:
                self._ring(self._bells)
            elif head > seen:
                cursor = await connection.execute(NEWS, (seen, head), prepare=True)
                self._ring([row[0] async for row in cursor])
            seen = head
            async for _ in connection.notifies(timeout=LOOK_SECONDS, stop_after=1):
                pass
            await asyncio.sleep(CALM_SECONDS)


async def value(connection: Connection, sql: Any) -> int:
    """The one number that a query gives."""
    row = await (await connection.execute(sql, prepare=True)).fetchone()
    return int(row[0]) if row else 0
