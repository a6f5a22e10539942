"""Counters over many streams: what a batch adds is summed in memory and added in one statement, however many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, LiteralString

import msgspec
from psycopg.sql import SQL, Composed, Identifier

from projections.projection import Connection

# Rows are added in the order of their keys: two transactions that add to the same ones wait, but never for each other.
ADD: LiteralString = """
INSERT INTO {table} AS t ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %b::json)
ON CONFLICT ({key}) DO UPDATE SET {sums}
"""
SUM: LiteralString = "{column} = t.{column} + excluded.{column}"

Key = tuple[Any, ...]


class Sums(msgspec.Struct, frozen=True, kw_only=True):
    """A table of counters: ``key`` names a row, ``counts`` are its columns, all of them numbers.

    Additions commute, so that batches of different partitions may be applied in any order and at once. A row takes the
    same time whatever it counts already.
    """

    table: str
    key: tuple[str, ...]
    counts: tuple[str, ...]

    def add(self, connection: Connection, totals: Mapping[Key, Sequence[int]]) -> None:
        """Add to the rows of the keys; those that nothing is added to are left alone. Numbers may be negative."""
        columns = (*self.key, *self.counts)
        added = [dict(zip(columns, (*key, *totals[key]), strict=True)) for key in sorted(totals) if any(totals[key])]
        if added:
            connection.execute(_statement(self), (msgspec.json.encode(added).decode(),), prepare=True)

    def compose(self) -> Composed:
        """The statement with its names."""
        return SQL(ADD).format(
            table=Identifier(self.table),
            columns=SQL(", ").join(map(Identifier, (*self.key, *self.counts))),
            key=SQL(", ").join(map(Identifier, self.key)),
            sums=SQL(", ").join(SQL(SUM).format(column=Identifier(column)) for column in self.counts),
        )


@cache
def _statement(sums: Sums) -> bytes:
    return sums.compose().as_bytes()


def summed(parts: Mapping[Key, Sequence[Sequence[int]]]) -> dict[Key, list[int]]:
    """The totals of each key, from what is to be added to it."""
    return {key: [sum(column) for column in zip(*added, strict=True)] for key, added in parts.items()}
