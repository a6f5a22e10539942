"""Rows in the binary COPY format, written column by column: the cheapest form that Postgres takes them in."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import chain, repeat
from struct import Struct
from typing import Any, Final

from msgspec.structs import astuple
from psycopg.adapt import PyFormat, Transformer
from psycopg.pq import Format
from psycopg.sql import SQL, Composed, Identifier

from domain.store import arrays
from domain.store.append import COPY_END, COPY_SIGNATURE
from projections.projection import Table
from projections.rebuild.database import Connection

Column = Sequence[Any]
Cells = Iterable[bytes]
Write = Callable[[Column], Cells]

COUNT = Struct(">h")
LENGTH = Struct(">i")
BIGINT = Struct(">iq")
INTEGER = Struct(">ii")
BOOLEAN = Struct(">i?")
NULL: Final = LENGTH.pack(-1)
PIECE: Final = 500

TYPES = """
SELECT a.attname, a.atttypid::bigint FROM pg_attribute a
WHERE a.attrelid = %s::regclass AND a.attnum > 0 AND NOT a.attisdropped
"""


class Cell(dict[Any, bytes]):
    """The binary forms of values, each made once."""

    def __init__(self, write: Callable[[Any], bytes]) -> None:
        super().__init__({None: NULL})
        self._write = write

    def __missing__(self, value: Any) -> bytes:
        """Make the form of a value that is new."""
        cell = self[value] = self._write(value)
        return cell


def text(value: str) -> bytes:
    """A text with its length before it."""
    raw = value.encode()
    return LENGTH.pack(len(raw)) + raw


def each(write: Callable[[Any], bytes]) -> Write:
    """A column of values that recur."""
    return lambda column: map(Cell(write).__getitem__, column)


def times(column: Column) -> Cells:
    """A column of times, which often recur right away."""
    last: datetime | None = None
    cell = NULL
    for value in column:
        if value is None:
            yield NULL
            continue
        if value != last:
            last, cell = value, BIGINT.pack(8, arrays.microseconds(value))
        yield cell


def lists(oid: int, write: Callable[[Any], bytes]) -> Write:
    """A column of arrays."""

    def written(values: tuple[Any, ...]) -> bytes:
        if not values:
            return LENGTH.pack(arrays.EMPTY.size) + arrays.EMPTY.pack(0, 0, oid)
        body = arrays.HEADER.pack(1, 1, oid, len(values), 1) + b"".join(map(write, values))
        return LENGTH.pack(len(body)) + body

    def cells(column: Column) -> Cells:
        cell = Cell(written)
        empty = written(())
        return [cell[tuple(value)] if value else NULL if value is None else empty for value in column]

    return cells


WRITERS: Final[dict[int, Write]] = {
    16: each(lambda value: BOOLEAN.pack(1, value)),
    20: each(lambda value: BIGINT.pack(8, value)),
    23: each(lambda value: INTEGER.pack(4, value)),
    25: each(text),
    1184: times,
    1009: lists(25, text),
    1016: lists(20, lambda value: BIGINT.pack(8, value)),
}
"""By type: boolean, bigint, integer, text, timestamptz, and arrays of text and of bigint. The driver writes others."""


def by_driver(connection: Connection, oid: int) -> Write:
    """A column of any type."""

    def cells(column: Column) -> Cells:
        transformer = Transformer(connection)
        transformer.set_dumper_types([oid], Format.BINARY)
        for value in column:
            [raw] = transformer.dump_sequence([value], [PyFormat.BINARY])
            yield NULL if raw is None else LENGTH.pack(len(raw)) + bytes(raw)

    return cells


class Rows:
    """Writes the rows of one table of a generation."""

    def __init__(self, connection: Connection, schema: str, table: Table) -> None:
        columns = table.row.__struct_fields__
        place = f"{schema}.{table.name}"
        types = dict(connection.execute(TYPES, (place,)).fetchall())
        self._writers = [WRITERS.get(types[name]) or by_driver(connection, types[name]) for name in columns]
        self._head = COUNT.pack(len(columns))
        self.statement: Composed = SQL("COPY {}.{} ({}) FROM STDIN (FORMAT binary)").format(
            Identifier(schema), Identifier(table.name), SQL(", ").join(map(Identifier, columns))
        )

    def encode(self, rows: Sequence[Any]) -> bytes:
        """All rows of a COPY. A few at a time stay in the processor's cache."""
        pieces = [self._piece(rows[start : start + PIECE]) for start in range(0, len(rows), PIECE)]
        return b"".join((COPY_SIGNATURE, *pieces, COPY_END))

    def _piece(self, rows: Sequence[Any]) -> bytes:
        columns = zip(*map(astuple, rows), strict=True)
        cells = [write(column) for write, column in zip(self._writers, columns, strict=True)]
        return b"".join(chain.from_iterable(zip(repeat(self._head), *cells, strict=False)))
