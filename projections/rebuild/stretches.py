"""The streams of a model cut into stretches by id: what one worker fills at a time, and what is filled already."""

from __future__ import annotations

from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from psycopg.sql import SQL, Composed, Identifier

from projections.rebuild.database import Connection

SIZE: Final = 20_000
"""Events in a stretch, more or less: a stream is never cut."""

CREATE: LiteralString = """
CREATE TABLE {schema}.stretches (
    first uuid PRIMARY KEY,
    until uuid NOT NULL,
    events bigint NOT NULL,
    claimed boolean NOT NULL DEFAULT false,
    filled boolean NOT NULL DEFAULT false
)
"""
# Steps from one cut to the next on the index of streams alone.
CUT: LiteralString = """
WITH RECURSIVE cut (first) AS (
    SELECT %(low)b::uuid
    UNION ALL
    SELECT (
        SELECT originator_id FROM log WHERE originator_id > cut.first AND originator_id < %(high)b
        ORDER BY originator_id OFFSET %(size)b LIMIT 1)
    FROM cut WHERE cut.first IS NOT NULL
), found AS (
    SELECT first, lead(first) OVER (ORDER BY first) AS next FROM cut WHERE first IS NOT NULL
)
INSERT INTO {schema}.stretches (first, until, events)
SELECT first, coalesce(next, %(high)b), CASE WHEN next IS NOT NULL THEN %(size)b::bigint ELSE (
    SELECT count(*) FROM log WHERE originator_id >= first AND originator_id < %(high)b) END
FROM found
"""
FREE: LiteralString = "UPDATE {schema}.stretches SET claimed = false WHERE NOT filled"
CLAIM: LiteralString = """
UPDATE {schema}.stretches SET claimed = true
WHERE first = (
    SELECT first FROM {schema}.stretches WHERE NOT claimed ORDER BY first LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING first, until
"""
FILLED: LiteralString = "UPDATE {schema}.stretches SET filled = true, events = %s WHERE first = %s AND NOT filled"
PROGRESS: LiteralString = """
SELECT coalesce(sum(events) FILTER (WHERE filled), 0)::bigint, coalesce(sum(events), 0)::bigint FROM {schema}.stretches
"""


class Stretch(NamedTuple):
    """The streams from ``first`` up to, without it, ``until``."""

    first: UUID
    until: UUID


class Stretches:
    """The stretches of a generation, in a table of its schema."""

    def __init__(self, connection: Connection, schema: str) -> None:
        self._connection = connection
        self._schema = Identifier(schema)

    def cut(self, kinds: tuple[int, ...]) -> None:
        """Create the table and cut the streams of the kinds."""
        self._connection.execute(self._sql(CREATE))
        for kind in kinds:
            bounds = {"low": UUID(int=kind << 96), "high": UUID(int=kind + 1 << 96), "size": SIZE}
            self._connection.execute(self._sql(CUT), bounds)

    def free(self) -> int:
        """Let what was never filled be claimed, also again: its worker is gone, or will find that it is late.

        Gives how many stretches these are.
        """
        return self._connection.execute(self._sql(FREE)).rowcount

    def claim(self) -> Stretch | None:
        """Take a stretch to fill; None when all are taken."""
        row = self._connection.execute(self._sql(CLAIM)).fetchone()
        return Stretch(*row) if row else None

    def fill(self, stretch: Stretch, events: int) -> bool:
        """Note, in the transaction that writes its rows, that a stretch is filled. False when it was before."""
        return self._connection.execute(self._sql(FILLED), (events, stretch.first)).rowcount == 1

    def progress(self) -> tuple[int, int]:
        """How many events are in filled stretches, and in all."""
        row = self._connection.execute(self._sql(PROGRESS)).fetchone()
        return row or (0, 0)

    def _sql(self, text: LiteralString) -> Composed:
        return SQL(text).format(schema=self._schema)
