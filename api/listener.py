"""Hears what Postgres notifies, over one connection for the whole process, and wakes those who wait for it."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import psycopg
from psycopg import sql

CHANNELS = ("datamailer_checkpoint", "datamailer_directory")
RECONNECT_SECONDS = 0.2


class Bell:
    """Wakes everybody who waits, each time it rings."""

    def __init__(self) -> None:
        self._rung = asyncio.Event()

    def ring(self) -> None:
        """Wake the waiting."""
        self._rung.set()
        self._rung = asyncio.Event()

    def next_ring(self) -> asyncio.Event:
        """The next ring. Ask for it before looking at what it announces, so that none is missed in between."""
        return self._rung


async def heard(ring: asyncio.Event, seconds: float) -> bool:
    """Wait for a ring, at most so long. Gives whether there was one."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            return await ring.wait()
    return False


class Listener:
    """One bell for each channel. After a lost connection all bells ring: something may have been missed."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self.bells = {channel: Bell() for channel in CHANNELS}

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the database."""
        while True:
            with suppress(psycopg.OperationalError):
                await self._listen()
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _listen(self) -> None:
        connection = await psycopg.AsyncConnection.connect(self._conninfo, autocommit=True)
        async with connection:
            for channel in CHANNELS:
                await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
            for bell in self.bells.values():
                bell.ring()
            async for notify in connection.notifies():
                self.bells[notify.channel].ring()
