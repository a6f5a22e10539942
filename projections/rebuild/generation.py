"""The tables of a new generation: the names of the live ones, in a schema of their own, keys and indexes last."""

from __future__ import annotations

from hashlib import sha256
from typing import LiteralString

from psycopg.sql import SQL, Composed, Identifier

from projections.projection import Projection, RowFold
from projections.rebuild.database import Connection

EXISTS = "SELECT to_regnamespace(quote_ident(%s)) IS NOT NULL"
CREATE = SQL("CREATE SCHEMA {schema}")
DROP = SQL("DROP SCHEMA IF EXISTS {schema} CASCADE")
TABLES = (
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace WHERE nspname = %s AND relkind = 'r'"
)
KEYS: LiteralString = """
CREATE TABLE {schema}.keys_to_add AS
SELECT c.relname::text AS table_name, k.conname::text AS name, pg_get_constraintdef(k.oid) AS definition
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = {named}::regnamespace AND k.contype IN ('p', 'u')
"""
KEYS_TO_ADD = SQL("SELECT table_name, name, definition FROM {schema}.keys_to_add ORDER BY table_name, name")
ADDED = SQL("DELETE FROM {schema}.keys_to_add WHERE table_name = %s AND name = %s")
DROP_KEY = SQL("ALTER TABLE {schema}.{table} DROP CONSTRAINT {name}")
ADD_KEY = SQL("ALTER TABLE {schema}.{table} ADD CONSTRAINT {name} ")
SCHEMAS = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild\\_%' OR nspname LIKE 'retired\\_%' ORDER BY 1"


class Generation:
    """The tables of one read model beside the live ones.

    They are named without a schema by the model's DDL and fold: ``connection`` has this schema before the live one in
    its search path.
    """

    def __init__(self, connection: Connection, projection: Projection) -> None:
        self.projection = projection
        self.schema = building(projection.name)
        self.retired = retired(projection.name)
        self.by_stream = isinstance(projection.fold, RowFold) and bool(projection.fold.streams)
        self._connection = connection

    @property
    def shape(self) -> str:
        """What an unfinished generation must agree in to be gone on with."""
        declared = f"{self.projection.version}|{self.projection.ddl}|{self.projection.indexes}"
        return sha256(declared.encode()).hexdigest()

    def exists(self) -> bool:
        """Whether its schema is there."""
        row = self._connection.execute(EXISTS, (self.schema,)).fetchone()
        return bool(row and row[0])

    def create(self) -> None:
        """Create the tables. Those that are filled stream by stream get their keys later."""
        self._connection.execute(self.sql(CREATE))
        self._connection.execute(self.projection.ddl)
        self._connection.execute(self.sql(SQL(KEYS)))
        if not self.by_stream:
            self._connection.execute(self.sql(SQL("TRUNCATE {schema}.keys_to_add")))
        for table, name, _ in self._keys_to_add():
            self._connection.execute(self.sql(DROP_KEY, table=Identifier(table), name=Identifier(name)))

    def build_indexes(self) -> None:
        """Add the keys and indexes that are missing, derive tables from others, and have the planner know them all."""
        for table, name, definition in self._keys_to_add():
            add = self.sql(ADD_KEY, table=Identifier(table), name=Identifier(name))
            with self._connection.transaction():
                self._connection.execute(add + SQL(definition))
                self._connection.execute(self.sql(ADDED), (table, name))
        self._connection.execute(self.projection.indexes)
        if self.by_stream:
            self._derive()
        for table in self.projection.tables:
            self._connection.execute(self.sql(SQL("ANALYZE {schema}.{table}"), table=Identifier(table)))

    def _derive(self) -> None:
        """Make tables from others; no live one is in reach."""
        with self._connection.transaction():
            self._connection.execute("SELECT set_config('search_path', quote_ident(%s), true)", (self.schema,))
            self._connection.execute(self.projection.derived)

    def drop(self) -> None:
        """Drop it, and what a rebuild before left of the generation that it replaced."""
        self._connection.execute(DROP.format(schema=Identifier(self.schema)))
        self.drop_retired()

    def drop_retired(self) -> None:
        """Drop the generation that was replaced, one table after the other.

        For a moment sessions with an old plan still lock its tables, in an order of their own: to hold one of them and
        wait for another would be a deadlock with a reader.
        """
        for (table,) in self._connection.execute(TABLES, (self.retired,)).fetchall():
            self._connection.execute(SQL("DROP TABLE {}").format(Identifier(self.retired, table)))
        self._connection.execute(DROP.format(schema=Identifier(self.retired)))

    def sql(self, text: SQL, **names: Identifier) -> Composed:
        """Fill in the schema, and other names."""
        return text.format(schema=Identifier(self.schema), named=self.schema, **names)

    def _keys_to_add(self) -> list[tuple[str, str, LiteralString]]:
        return self._connection.execute(self.sql(KEYS_TO_ADD)).fetchall()


def building(name: str) -> str:
    """The schema in which a model's new generation is built."""
    return f"rebuild_{name}"


def retired(name: str) -> str:
    """The schema in which the old generation waits to be dropped, for a moment after the swap."""
    return f"retired_{name}"


def left_behind(connection: Connection) -> dict[str, list[str]]:
    """The schemas of generations, by the name of their model: some are at work, some were left by a killed rebuild."""
    schemas: dict[str, list[str]] = {}
    for (schema,) in connection.execute(SCHEMAS):
        schemas.setdefault(schema.partition("_")[2], []).append(schema)
    return schemas
