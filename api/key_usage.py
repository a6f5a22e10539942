"""When each API key was last used: gathered in memory, written every few seconds in one statement."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from time import time

import psycopg

WRITE_SECONDS = 3.0

WRITE = """
INSERT INTO api_key_usage (public_id, last_used_at)
SELECT * FROM unnest(%s::text[], %s::timestamptz[]) ORDER BY 1
ON CONFLICT (public_id) DO UPDATE SET last_used_at = greatest(api_key_usage.last_used_at, excluded.last_used_at)
"""

READ = "SELECT public_id, last_used_at FROM api_key_usage WHERE public_id = ANY(%s)"


class KeyUsage:
    """Notes uses, and writes them; what an outage of the database keeps from being written is written after it."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._noted: dict[str, float] = {}

    def note(self, public_id: str) -> None:
        """The key was used now."""
        self._noted[public_id] = time()

    async def run(self) -> None:
        """Write every few seconds until cancelled."""
        while True:
            await asyncio.sleep(WRITE_SECONDS)
            await self.write()

    async def write(self) -> None:
        """Write what was noted. After an outage it is still there to be written."""
        noted, self._noted = self._noted, {}
        if not noted:
            return
        times = [datetime.fromtimestamp(when, UTC) for when in noted.values()]
        try:
            async with await psycopg.AsyncConnection.connect(self._conninfo) as connection:
                await connection.execute(WRITE, (list(noted), times))
        except psycopg.OperationalError:
            self._noted = {**noted, **self._noted}

    async def read(self, public_ids: list[str]) -> dict[str, datetime]:
        """When keys were last used; those never used are missing. Raises psycopg's OperationalError."""
        await self.write()
        async with await psycopg.AsyncConnection.connect(self._conninfo) as connection:
            cursor = await connection.execute(READ, (public_ids,))
            return {public_id: when async for public_id, when in cursor}
