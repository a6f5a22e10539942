"""Compares a generation with the live rows as of one and the same moment, down to each partition of the log."""

from __future__ import annotations

from collections.abc import Mapping

from domain.store.partition import partition_of
from domain.store.recorded import Recorded
from projections.rebuild.database import Connection
from projections.rebuild.difference import Comparison
from projections.rebuild.generation import Generation
from projections.rebuild.log_fold import LogFold
from projections.rebuild.refusals import IncomparableError
from projections.rebuild.table_pair import TablePair

# One snapshot, and nobody is locked out. Digests read whole tables.
SNAPSHOT = """
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;
SET LOCAL enable_seqscan = on;
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;
"""
# A partition that has all that was published on it is as far as the relay.
POSITIONS = """
SELECT c.partition, c.partitions,
    CASE WHEN c.position >= p.position THEN greatest(c.position, r.position) ELSE c.position END
FROM checkpoints c
LEFT JOIN relay r ON r.partitions = c.partitions
LEFT JOIN relay_partitions p ON r.partitions IS NOT NULL AND p.partition = c.partition
WHERE c.projection = %s
"""
VERSION = "SELECT version FROM read_models WHERE name = %s"


class Comparing:
    """Works in a session that finds the generation's tables before the live ones, which are in the schema ``live``."""

    def __init__(self, connection: Connection, generation: Generation, live: str, fold: LogFold) -> None:
        self._connection = connection
        self._generation = generation
        self._projection = generation.projection
        self._live = live
        self._fold = fold

    def compare(self, reached: int, *, show_values: bool = False) -> Comparison | None:
        """Bring the generation to where the live rows are, exactly, compare the two, and undo that again.

        The live rows and their checkpoints are of one snapshot, and each partition's events are taken as far as its
        own checkpoint says. None while the live rows are not as far as the generation, which has everything up to
        ``reached``. Raises IncomparableError when they cannot be compared at all, BadEventError.
        """
        with self._connection.transaction(force_rollback=True):
            self._connection.execute(SNAPSHOT)
            partitions, positions = self._positions()
            if min(positions.values()) < reached:
                return None
            self._advance(reached, partitions, positions)
            return self._compared(min(positions.values()), show_values=show_values)

    def _positions(self) -> tuple[int, Mapping[int, int]]:
        name, version = self._projection.name, self._projection.version
        row = self._connection.execute(VERSION, (name,)).fetchone()
        if row is None or row[0] != version:
            raise IncomparableError(f"the live rows of {name} are not of version {version}: rebuild it")
        rows = self._connection.execute(POSITIONS, (name,)).fetchall()
        if not rows:
            raise IncomparableError(f"no projector has followed {name} yet")
        return rows[0][1], {partition: position for partition, _, position in rows}

    def _advance(self, reached: int, partitions: int, positions: Mapping[int, int]) -> None:
        def is_live(event: Recorded) -> bool:
            return event.position <= positions[partition_of(event, partitions)]

        self._fold.apply(reached, max(positions.values()), is_live)

    def _compared(self, position: int, *, show_values: bool) -> Comparison:
        schema, scratch = self._generation.schema, self._projection.scratch
        tables = [TablePair(self._connection, table, self._live, schema, scratch) for table in self._projection.tables]
        compared = [table.compare(show_values=show_values) for table in tables]
        first = tuple(difference for _, differences in compared for difference in differences)
        return Comparison(position, tuple(digested for digested, _ in compared), first)
