"""What a read model declares, and the fold of events into rows that most of them are."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any, LiteralString, Protocol

import msgspec
import psycopg
from psycopg.sql import SQL, Composed, Identifier

from domain.decider import EVENT_TYPES, Event
from domain.store import arrays
from domain.store.recorded import Recorded

Connection = psycopg.Connection[Any]
Opened = tuple[Recorded, Event]
Rows = Mapping[Any, Any]
"""The rows of a group by their place in it."""

CREATED = re.compile(r"CREATE TABLE IF NOT EXISTS (\w+)")
LOAD: LiteralString = "SELECT {columns} FROM {table} WHERE {group} = ANY(%b)"
UPSERT: LiteralString = """
INSERT INTO {table} ({columns}) SELECT {columns} FROM json_populate_recordset(NULL::{table}, %b::json)
ON CONFLICT ({key}) DO UPDATE SET ({columns}) = ROW ({excluded})
"""
DELETE: LiteralString = """
DELETE FROM {table} USING json_populate_recordset(NULL::{table}, %b::json) AS gone WHERE ({live_key}) = ({gone_key})
"""


class Fold(Protocol):
    """Takes a batch of events into the tables, within the caller's transaction."""

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:
        """Events come decoded, in the order of their partition, each exactly once."""


class Projection(msgspec.Struct, frozen=True, kw_only=True):
    """A read model. ``version`` is raised when its rows would come out otherwise: it is then rebuilt.

    ``ddl`` creates its tables and primary keys, ``indexes`` the rest; both name tables without a schema, and so does
    the fold, so that a rebuild can fill the same names in a schema of its own.
    ``derived`` makes tables that add up others anew from them, for a rebuild that filled those stream by stream.
    ``scratch`` names columns that hold notes of the moment instead of what events say: a rebuild loses them.
    ``urgent`` models go ahead of the others while the log is flooded: somebody's mail waits for them.
    """

    name: str
    version: int
    events: tuple[type[Event], ...]
    ddl: LiteralString
    indexes: LiteralString
    fold: Fold
    derived: LiteralString = ""
    scratch: tuple[str, ...] = ()
    urgent: bool = False

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables, as ``ddl`` creates them."""
        return tuple(CREATED.findall(self.ddl))

    def wanted(self, events: Iterable[Recorded]) -> list[Recorded]:
        """Those that it folds."""
        events = list(events)
        topics = {topic for topic in {event.topic for event in events} if self.folds(topic)}
        return [event for event in events if event.topic in topics]

    def folds(self, topic: str) -> bool:
        """Whether it takes events of the topic, of whatever version: one that is too new must fail, not be passed over.

        So must one whose name this code does not know, if it is of a thing that the model folds other events of.
        """
        return _folds(self.events, topic)


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table of rows, each a struct whose fields, made by position, are columns. ``group`` is the column that finds a
    group's rows; ``place`` names a row within its group.
    """

    name: str
    row: type[msgspec.Struct]
    key: tuple[str, ...]
    group: str
    place: Callable[[Any], Hashable]

    def sql(self, text: LiteralString) -> bytes:
        """Fill in the table's and its columns' names, once for each statement."""
        return _statement(self, text)

    def compose(self, text: LiteralString) -> Composed:
        """Fill in the names."""
        columns, table = self.row.__struct_fields__, Identifier(self.name)
        return SQL(text).format(
            table=table,
            columns=_names(columns),
            excluded=_names(columns, "excluded"),
            key=_names(self.key),
            live_key=_names(self.key, self.name),
            gone_key=_names(self.key, "gone"),
            group=Identifier(self.group),
        )


@cache
def _folds(events: tuple[type[Event], ...], topic: str) -> bool:
    name = topic.partition("@")[0]
    names = {EVENT_TYPES[cls].name for cls in events}
    if name in names or any(known.name == name for known in EVENT_TYPES.values()):
        return name in names
    return name.partition(".")[0] in {known.partition(".")[0] for known in names}


@cache
def _statement(table: Table, text: LiteralString) -> bytes:
    return table.compose(text).as_bytes()


def _names(columns: Iterable[str], qualifier: str | None = None) -> Composed:
    return SQL(", ").join(Identifier(qualifier, column) if qualifier else Identifier(column) for column in columns)


class RowFold(msgspec.Struct, frozen=True, kw_only=True):
    """Folds each event into the rows of one group: loaded together, evolved in memory, written back together.

    All events of a group must bear the same contact, or be of one stream: then one partition holds them in order.
    ``evolve(rows, recorded, event)`` gives the group's rows by place; a row it did not touch stays the same object.
    ``streams`` says that every row comes from the events of one stream, and of which kinds these streams are: a rebuild
    then folds stream by stream, with nothing to load. ``reads`` are the fields of the envelope that ``evolve`` looks
    at; a rebuild reads no others.
    """

    tables: tuple[Table, ...]
    group_of: Callable[[Recorded], int]
    evolve: Callable[[Rows, Recorded, Any], Rows]
    streams: tuple[int, ...] = ()
    reads: tuple[str, ...] = Recorded.__struct_fields__

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:
        """One query and at most two statements a table, however many events."""
        group_of, evolve = self.group_of, self.evolve
        before = self._load(connection, {group_of(recorded) for recorded, _ in events})
        after = dict(before)
        for recorded, event in events:
            group = group_of(recorded)
            after[group] = evolve(after[group], recorded, event)
        self._write(connection, before, after)

    def _load(self, connection: Connection, groups: set[int]) -> dict[int, Rows]:
        loaded: dict[int, dict[Hashable, Any]] = {group: {} for group in groups}
        arrays.register(connection)
        for table in self.tables:
            cursor = connection.cursor(binary=True)
            for columns in cursor.execute(table.sql(LOAD), (arrays.bigints(groups),), prepare=True):
                row = table.row(*columns)
                loaded[getattr(row, table.group)][table.place(row)] = row
        return dict(loaded)

    def _write(self, connection: Connection, before: Mapping[int, Rows], after: Mapping[int, Rows]) -> None:
        changed: dict[type, list[Any]] = {}
        gone: dict[type, list[Any]] = {}
        for group, rows in after.items():
            old = before[group]
            if rows is old:
                continue
            for place, row in rows.items():
                if old.get(place) is not row:
                    changed.setdefault(type(row), []).append(row)
            for place, row in old.items():
                if place not in rows:
                    gone.setdefault(type(row), []).append(row)
        for table in self.tables:
            for statement, written in ((DELETE, gone.get(table.row)), (UPSERT, changed.get(table.row))):
                if written:
                    data = msgspec.json.encode(written).decode()
                    connection.execute(table.sql(statement), (data,), prepare=True)
