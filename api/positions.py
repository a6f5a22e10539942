"""Read your writes: waits until a read model reflects a log position (contract, Read your writes)."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from api.call import Call
from api.errors import projection_behind
from api.listener import Bell, heard
from api.scalars import INTEGER, Errors
from projections.checkpoint import REFLECTED

HEADER = b"datamailer-min-position"
FIELD = "min_position"
WAIT_SECONDS = 5.0
LOOK_SECONDS = 0.25
"""How long a lost notification can keep somebody waiting."""

Pool = AsyncConnectionPool[psycopg.AsyncConnection[Any]]


def min_position(call: Call, errors: Errors) -> int:
    """The position that a request wants to be reflected, 0 for any."""
    text = call.query.get(FIELD, "").strip() or (call.header(HEADER) or "").strip()
    if not text:
        return 0
    if not INTEGER.fullmatch(text):
        errors[FIELD] = "must_be_integer"
        return 0
    if int(text) < 0:
        errors[FIELD] = "must_be_positive"
    return int(text)


class Positions:
    """How far read models are."""

    def __init__(self, pool: Pool, moved: Bell) -> None:
        self._pool = pool
        self._moved = moved

    async def reached(self, projection: str, wanted: int) -> int:
        """Wait until the read model reflects the position; give the one that it reflects.

        Raises ApiError 503 ``projection_behind`` after 5 s, psycopg's OperationalError when there is no database.
        """
        clock = asyncio.get_running_loop().time
        deadline = clock() + WAIT_SECONDS
        while True:
            moved = self._moved.next_ring()
            position = await self._look(projection)
            if position >= wanted:
                return position
            left = deadline - clock()
            if left <= 0:
                raise projection_behind()
            await heard(moved, min(left, LOOK_SECONDS))

    async def _look(self, projection: str) -> int:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(REFLECTED, (projection,), prepare=True)
            row = await cursor.fetchone()
        return int(row[0]) if row else 0
