"""What is being built for each read model, how far it is, and how it ended: the table ``rebuilds``."""

from __future__ import annotations

from typing import Literal

import msgspec
from psycopg.types.json import Jsonb

from projections.rebuild.database import Connection
from projections.rebuild.difference import Outcome

Purpose = Literal["rebuild", "verify"]
Stage = Literal[
    "asked", "filling", "indexing", "catching up", "comparing", "swapping", "done", "stopped", "failed", "abandoned"
]
FIND = "SELECT projection, purpose, stage, version, shape, as_of, reached FROM rebuilds WHERE projection = %s"
BEGIN = """
INSERT INTO rebuilds (projection, purpose, stage, version, shape, as_of, reached)
VALUES (%(projection)s, %(purpose)s, 'filling', %(version)s, %(shape)s, %(as_of)s, %(reached)s)
ON CONFLICT (projection) DO UPDATE SET
    purpose = excluded.purpose, stage = excluded.stage, version = excluded.version, shape = excluded.shape,
    as_of = excluded.as_of, reached = excluded.reached, events = 0, done = 0, began_at = now(),
    stage_began_at = now(), updated_at = now(), error = NULL, outcome = NULL
"""
RESUME = "UPDATE rebuilds SET purpose = %s, error = NULL, outcome = NULL, updated_at = now() WHERE projection = %s"
ENTER = """
UPDATE rebuilds SET stage = %s, events = %s, done = 0, stage_began_at = now(), updated_at = now() WHERE projection = %s
"""
NOTE = "UPDATE rebuilds SET events = %s, done = %s, updated_at = now() WHERE projection = %s"
REACH = "UPDATE rebuilds SET reached = %s, updated_at = now() WHERE projection = %s"
END = """
UPDATE rebuilds
SET stage = %(stage)s, error = %(error)s, outcome = %(outcome)s, updated_at = now(),
    asked = CASE WHEN %(stage)s = 'stopped' OR asked <> purpose THEN asked END
WHERE projection = %(projection)s
"""


class Entry(msgspec.Struct, frozen=True):
    """A row of ``rebuilds``. The model is filled as of ``as_of``; once that is done, everything up to ``reached`` is in
    its rows. ``shape`` is what it was begun as.
    """

    projection: str
    purpose: Purpose
    stage: Stage
    version: int
    shape: str
    as_of: int
    reached: int


class Journal:
    """The row of one read model. It is written in the session that builds, so in the same transactions."""

    def __init__(self, connection: Connection, projection: str) -> None:
        self._connection = connection
        self._projection = projection

    def entry(self) -> Entry | None:
        """What stands there; None when the model was never rebuilt."""
        row = self._connection.execute(FIND, (self._projection,)).fetchone()
        return Entry(*row) if row else None

    def begin(self, purpose: Purpose, version: int, shape: str, as_of: int, reached: int) -> None:
        """Note that a new generation is there to be filled."""
        named = {"projection": self._projection, "purpose": purpose, "version": version, "shape": shape}
        self._connection.execute(BEGIN, {**named, "as_of": as_of, "reached": reached})

    def resume(self, purpose: Purpose) -> None:
        """Note that an unfinished generation is gone on with, perhaps for another purpose."""
        self._connection.execute(RESUME, (purpose, self._projection))

    def enter(self, stage: Stage, events: int = 0) -> None:
        """Note that a stage begins, with so many events before it."""
        self._connection.execute(ENTER, (stage, events, self._projection))

    def note(self, done: int, events: int) -> None:
        """Note how far the stage is."""
        self._connection.execute(NOTE, (events, done, self._projection))

    def reach(self, position: int) -> None:
        """Note that everything up to the position is in the rows."""
        self._connection.execute(REACH, (position, self._projection), prepare=True)

    def end(self, stage: Stage, error: str | None = None, outcome: Outcome | None = None) -> None:
        """Note how it ended. Unless it was only stopped, or another thing is asked for, nothing is asked any more."""
        found = None if outcome is None else Jsonb(msgspec.to_builtins(outcome))
        how = {"stage": stage, "error": error, "outcome": found, "projection": self._projection}
        self._connection.execute(END, how)
