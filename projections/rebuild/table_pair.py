"""One table of a read model in two generations: digests by organization of each, and the first rows that differ."""

from __future__ import annotations

from typing import Any, Final, LiteralString

from psycopg.sql import SQL, Composable, Composed, Identifier
from psycopg.sql import Literal as Constant

from projections.rebuild.database import Connection
from projections.rebuild.difference import Difference, Digested, Kind

FIRST: Final = 10
"""Differing rows that are shown of each table."""

COLUMNS = """
SELECT a.attname, array_position(i.indkey::smallint[], a.attnum) IS NOT NULL
FROM pg_attribute a LEFT JOIN pg_index i ON i.indrelid = a.attrelid AND i.indisprimary
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY array_position(i.indkey::smallint[], a.attnum), a.attname
"""
# The same rows give the same digest in whatever order they come. The two hashes make 128 bits of it.
DIGESTS: LiteralString = """
SELECT organization, count(*), bit_xor(hashtextextended(t, 0)), bit_xor(hashtextextended(t, 1))
FROM (SELECT {organization} AS organization, ROW ({columns})::text AS t FROM {table}) AS rows GROUP BY 1
"""
DIFFERING: LiteralString = """
SELECT live.{first_key} IS NOT NULL, built.{first_key} IS NOT NULL,
    ARRAY[{key_texts}], ARRAY[{live_texts}], ARRAY[{built_texts}], count(*) OVER ()
FROM (SELECT * FROM {live} WHERE {organization} = ANY (%(organizations)s)) AS live
FULL JOIN (SELECT * FROM {built} WHERE {organization} = ANY (%(organizations)s)) AS built USING ({key})
WHERE ROW ({live_columns})::text IS DISTINCT FROM ROW ({built_columns})::text
ORDER BY {key} LIMIT {limit}
"""

Digests = dict[int, tuple[int, int, int]]


class TablePair:
    """A table of the live schema and its namesake that was built anew. ``scratch`` columns are left out."""

    def __init__(self, connection: Connection, table: str, live: str, built: str, scratch: tuple[str, ...]) -> None:
        self._connection = connection
        self._table = table
        self._live = Identifier(live, table)
        self._built = Identifier(built, table)
        columns = connection.execute(COLUMNS, (f"{built}.{table}",)).fetchall()
        self._columns = [name for name, _ in columns if name not in scratch]
        self._key = [name for name, is_key in columns if is_key]
        bears = "organization_id" in self._columns
        self._organization: Composable = SQL("coalesce(organization_id, 0)" if bears else "0::bigint")

    def compare(self, *, show_values: bool) -> tuple[Digested, list[Difference]]:
        """What the digests say, and the first differing rows if they differ."""
        live, built = self._digests(self._live), self._digests(self._built)
        organizations = live.keys() | built.keys()
        differing = sorted(number for number in organizations if live.get(number) != built.get(number))
        count, first = self._differing(differing, show_values=show_values) if differing else (0, [])
        rows = sum(number for number, *_ in live.values())
        return Digested(self._table, rows, len(organizations), differing, count), first

    def _digests(self, table: Identifier) -> Digests:
        columns = listed(self._columns)
        statement = SQL(DIGESTS).format(organization=self._organization, columns=columns, table=table)
        return {number: (count, one, two) for number, count, one, two in self._connection.execute(statement)}

    def _differing(self, organizations: list[int], *, show_values: bool) -> tuple[int, list[Difference]]:
        statement = SQL(DIFFERING).format(
            first_key=Identifier(self._key[0]),
            key_texts=texts(self._key),
            live_texts=texts(self._columns, "live"),
            built_texts=texts(self._columns, "built"),
            live=self._live,
            built=self._built,
            organization=self._organization,
            key=listed(self._key),
            live_columns=listed(self._columns, "live"),
            built_columns=listed(self._columns, "built"),
            limit=Constant(FIRST),
        )
        rows = self._connection.execute(statement, {"organizations": organizations}).fetchall()
        return (rows[0][-1] if rows else 0), [self._difference(row, show_values=show_values) for row in rows]

    def _difference(self, row: tuple[Any, ...], *, show_values: bool) -> Difference:
        is_live, is_built, key, before, after, _ = row
        kind: Kind = "changed" if is_live and is_built else "extra" if is_live else "missing"
        pairs = zip(self._columns, before, after, strict=True)
        values = {name: [was, is_now] for name, was, is_now in pairs if was != is_now}
        return Difference(
            table=self._table,
            kind=kind,
            key=dict(zip(self._key, key, strict=True)),
            columns=list(values) if kind == "changed" else [],
            values=values if show_values else {},
        )


def listed(names: list[str], table: str | None = None) -> Composed:
    """Columns with commas between them."""
    return SQL(", ").join(column(name, table) for name in names)


def texts(names: list[str], table: str | None = None) -> Composed:
    """Columns as texts, with commas between them."""
    return SQL(", ").join(SQL("{}::text").format(column(name, table)) for name in names)


def column(name: str, table: str | None) -> Identifier:
    """A column, of a table where several have it."""
    return Identifier(table, name) if table else Identifier(name)
