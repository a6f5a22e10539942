"""Puts a new generation in the place of the live one: tables, checkpoints and version in one transaction.

Readers wait for a tenth of a second at most: while one of them holds the live tables for longer, such as an export, the
swap waits for it without having the others wait. A reader that keeps one snapshot over several statements (REPEATABLE
READ) must lock the tables first: its snapshot does not show the rows of tables that came after it.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg.errors import DeadlockDetected, LockNotAvailable, UniqueViolation
from psycopg.sql import SQL, Composed, Identifier

from projections.projection import Projection
from projections.rebuild.database import Connection
from projections.rebuild.difference import Outcome
from projections.rebuild.generation import Generation
from projections.rebuild.journal import Journal
from projections.rebuild.log_fold import LogFold
from projections.rebuild.views import renew, standing_on
from projections.schema import SCHEMA_LOCK

ALONE = "SELECT pg_advisory_xact_lock(%s)"
DURABLE = "SET LOCAL synchronous_commit = on"
PATIENT = "SET LOCAL lock_timeout = '30s'"
IMPATIENT = "SET LOCAL lock_timeout = '100ms'"
# Keeps vacuum and other changes of the tables away, nobody else; it is what sends an automatic vacuum away.
QUIET: LiteralString = "LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE"
TAKE: LiteralString = "LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE"
LIVE = """
SELECT c.relname FROM pg_class c
WHERE c.relnamespace = %(live)s::regnamespace AND c.relkind = 'r' AND (c.relname = ANY (%(tables)s)
    OR c.relname IN (SELECT unnest(tables) FROM read_models WHERE name = %(name)s))
ORDER BY 1
"""
CHECKPOINTS = "SELECT position FROM checkpoints WHERE projection = %s FOR UPDATE"
MOVE: LiteralString = "ALTER TABLE {schema}.{table} SET SCHEMA {to}"
GRANTS = """
SELECT a.privilege_type, CASE WHEN a.grantee = 0 THEN NULL ELSE a.grantee::regrole::text END
FROM pg_class c, aclexplode(c.relacl) AS a WHERE c.oid = %s::regclass AND a.grantee <> c.relowner
"""
ADVANCE = """
UPDATE checkpoints
SET position = %s, updated_at = now(), parked_position = NULL, parked_error = NULL WHERE projection = %s
"""
# The projector never ran on this model: it goes on from here, in whatever division of the log it then finds.
BEGIN = "INSERT INTO checkpoints (projection, partition, partitions, position) VALUES (%s, 0, 1, %s)"
VERSION = """
INSERT INTO read_models (name, version, tables) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET version = excluded.version, tables = excluded.tables
"""
# Readers in transactions that have lasted: to queue behind one would have all others queue too. The projector, which
# writes, is waited for in another way.
HOLDERS = """
SELECT DISTINCT coalesce(nullif(a.application_name, ''), a.usename, 'a session')
FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.relation = ANY (%(tables)s::regclass[]) AND l.granted AND l.mode = 'AccessShareLock'
    AND a.xact_start < clock_timestamp() - interval '0.5 seconds' AND NOT EXISTS (
        SELECT FROM pg_locks w
        WHERE w.pid = l.pid AND w.relation = ANY (%(tables)s::regclass[]) AND w.mode = 'RowExclusiveLock')
ORDER BY 1
"""
NOTIFY = "SELECT pg_notify('datamailer_checkpoint', %s)"


class Swap:
    """The end of a rebuild, in a session that finds the generation's tables before the live ones."""

    def __init__(self, connection: Connection, generation: Generation, live: str, fold: LogFold) -> None:
        self._connection = connection
        self._generation = generation
        self._projection: Projection = generation.projection
        self._live = live
        self._fold = fold
        self._journal = Journal(connection, self._projection.name)

    def attempt(self, reached: int, outcome: Outcome | None) -> int | None:
        """Swap, unless somebody holds the tables; then None, and nothing happened.

        ``reached`` is the position up to which the generation has everything. Gives the one that it is at then: the
        furthest of the live checkpoints, or its own when that is further. Raises BadEventError, DependentError.
        """
        try:
            with self._connection.transaction():
                position = self._swap(reached)
                self._journal.end("done", outcome=outcome)
        except (LockNotAvailable, DeadlockDetected, UniqueViolation):
            return None
        return position

    def holders(self) -> list[str]:
        """Who has been reading the live tables for long, by what sessions call themselves."""
        tables = [f"{self._live}.{table}" for table in self._live_tables()]
        return [name for (name,) in self._connection.execute(HOLDERS, {"tables": tables})]

    def _swap(self, reached: int) -> int:
        name, old = self._projection.name, self._live_tables()
        execute = self._connection.execute
        execute(ALONE, (SCHEMA_LOCK,))
        execute(DURABLE)
        execute(PATIENT)
        self._lock(QUIET, old)
        checkpoints = [position for (position,) in execute(CHECKPOINTS, (name,))]
        position: int = max([reached, *checkpoints])
        self._fold.apply(reached, position)
        execute(IMPATIENT)
        self._lock(TAKE, old)
        self._exchange(old)
        if checkpoints:
            execute(ADVANCE, (position, name))
        else:
            execute(BEGIN, (name, position))
        execute(VERSION, (name, self._projection.version, list(self._projection.tables)))
        execute(NOTIFY, (name,))
        return position

    def _exchange(self, old: list[str]) -> None:
        execute, generation = self._connection.execute, self._generation
        granted = [grant for table in old for grant in self._grants(table)]
        views = standing_on(self._connection, self._live, old)
        generation.drop_retired()
        execute(SQL("CREATE SCHEMA {}").format(Identifier(generation.retired)))
        for table in old:
            execute(self._move(table, self._live, generation.retired))
        for table in self._projection.tables:
            execute(self._move(table, generation.schema, self._live))
        execute("SELECT set_config('search_path', quote_ident(%s), true)", (self._live,))
        for table, privilege, role in granted:
            if table in self._projection.tables:
                execute(SQL("GRANT {} ON {} TO {}").format(SQL(privilege), Identifier(table), SQL(role or "PUBLIC")))
        renew(self._connection, views, generation.retired, old)

    def _live_tables(self) -> list[str]:
        known = {"live": self._live, "tables": list(self._projection.tables), "name": self._projection.name}
        return [table for (table,) in self._connection.execute(LIVE, known)]

    def _grants(self, table: str) -> list[tuple[str, LiteralString, LiteralString | None]]:
        rows = self._connection.execute(GRANTS, (f"{self._live}.{table}",))
        return [(table, privilege, role) for privilege, role in rows]

    def _lock(self, statement: LiteralString, old: list[str]) -> None:
        tables = [Identifier(self._live, table) for table in old]
        tables += [Identifier(self._generation.schema, table) for table in self._projection.tables]
        self._connection.execute(SQL(statement).format(tables=SQL(", ").join(tables)))

    def _move(self, table: str, schema: str, to: str) -> Composed:
        return SQL(MOVE).format(schema=Identifier(schema), table=Identifier(table), to=Identifier(to))
