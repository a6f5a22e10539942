"""Fills the stretches of a generation: folds one while the next is read and the one before is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, Final

from psycopg import Cursor
from psycopg.sql import SQL, Composed, Identifier

from domain.personal import SealingKeys
from domain.store.recorded import COLUMNS, Recorded
from domain.store.unsealing import Unsealer
from projections.projection import Projection, RowFold
from projections.rebuild.database import Connection, Database
from projections.rebuild.full_speed import at_full_speed
from projections.rebuild.generation import building
from projections.rebuild.reading import taken
from projections.rebuild.rows import Rows
from projections.rebuild.stream_fold import StreamFold, unwanted
from projections.rebuild.stretches import Stretch, Stretches

NAME: Final = "datamailer.rebuild"
MANY: Final = 1_000
"""Events of contacts from which all keys of a stretch are read at once, ahead of their use."""

CONTACT: Final = 4
LARGEST: Final = (1 << 63) - 1
NEEDED: Final = frozenset({"position", "topic", "data", "contact_id"})

READ = SQL("""
SELECT {} FROM log
WHERE originator_id >= %b AND originator_id < %b AND notification_id <= %b AND topic <> ALL (%b)
ORDER BY originator_id, originator_version
""")

Keys = Mapping[int, SealingKeys]
Ahead = tuple[Stretch, Cursor[Any], Keys | None] | None
Written = list[tuple[Composed, bytes]]


def read_columns(reads: Sequence[str]) -> Composed:
    """The log's columns as far as they are read. A stream is told from the next one by its bytes alone."""
    fields = dict(zip(Recorded.__struct_fields__, COLUMNS.split(", "), strict=True))
    chosen = [
        SQL("{}").format(Identifier(column)) if field in reads or field in NEEDED else SQL("NULL")
        for field, column in fields.items()
    ]
    if "stream" not in reads:
        chosen[list(fields).index("stream")] = SQL("uuid_send(originator_id)")
    return SQL(", ").join(chosen)


class Filler:
    """One worker on a generation. Several may fill it at once, in processes of their own."""

    def __init__(
        self, connections: Sequence[Connection], unsealer: Unsealer, projection: Projection, as_of: int
    ) -> None:
        fold = projection.fold
        if not isinstance(fold, RowFold):
            raise TypeError(projection.name)
        self._reader, self._keys, self._writer = connections
        self._unsealer = unsealer
        self._read = READ.format(read_columns(fold.reads))
        self._bounds = (as_of, unwanted(projection))
        self._fold = StreamFold(projection, fold, unsealer.opener)
        schema = building(projection.name)
        self._claimed = Stretches(self._reader, schema)
        self._filled = Stretches(self._writer, schema)
        self._tables = {table.row: Rows(self._writer, schema, table) for table in fold.tables}

    def run(self, note: Callable[[], None]) -> None:
        """Fill what nobody else does; ``note`` is called after each. Raises BadEventError, and what it raises."""
        with ThreadPoolExecutor(1) as reading, ThreadPoolExecutor(1) as writing, at_full_speed():
            written: Future[None] | None = None
            ahead = reading.submit(self._fetch)
            while fetched := ahead.result():
                ahead = reading.submit(self._fetch)
                stretch, cursor, keys = fetched
                events = taken(cursor)
                rows = self._fold.rows(events, self._unsealer.keys(self._keys, events) if keys is None else keys)
                encoded = [(self._tables[row].statement, self._tables[row].encode(rows[row])) for row in rows]
                if written:
                    written.result()
                written = writing.submit(self._write, stretch, len(events), encoded)
                note()
            if written:
                written.result()
        note()

    def _fetch(self) -> Ahead:
        stretch = self._claimed.claim()
        if stretch is None:
            return None
        cursor = self._reader.cursor(binary=True).execute(self._read, (*stretch, *self._bounds), prepare=True)
        return stretch, cursor, self._keys_of(stretch) if cursor.rowcount > MANY else None

    def _keys_of(self, stretch: Stretch) -> Keys | None:
        """The keys of the contacts whose streams these are; None for other streams."""
        if stretch.first.int >> 96 != CONTACT:
            return None
        first, until = (min(place.int - (CONTACT << 96), LARGEST) for place in stretch)
        return self._unsealer.keys_between(self._reader, first, until)

    def _write(self, stretch: Stretch, events: int, written: Written) -> None:
        """Write a stretch, unless another worker, thought dead, was first after all."""
        with self._writer.transaction(), self._writer.cursor() as cursor:
            if self._filled.fill(stretch, events):
                for statement, data in written:
                    with cursor.copy(statement) as copy:
                        copy.write(data)


def fill(database: Database, unsealer: Unsealer, projection: Projection, as_of: int, note: Callable[[], None]) -> None:
    """Take part in filling the generation of a model until no stretch is left to be claimed."""
    schema = building(projection.name)
    with ExitStack() as stack:
        connections = [stack.enter_context(database.connect(NAME, schema)) for _ in range(3)]
        Filler(connections, unsealer, projection, as_of).run(note)
