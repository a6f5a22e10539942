"""Carries the rows of an import into the log, a chunk at a time, and says what became of each."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from threading import Lock
from uuid import UUID

from domain import contact, import_row
from domain.contact import Contact
from domain.import_row import ImportRow
from domain.seen_addresses import SeenAddresses
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Refused

CHUNK = 1_000
"""Rows in one append: long enough to be fast, short enough that a single command waits for a blink only."""

READ_AT_ONCE = 5_000


class Importing:
    """One import. Of several valid rows for an address the first one wins (seed, Deduplication).

    ``earlier`` has the contacts that an interrupted run has written without telling what became of their rows, by
    number, as they were before it.
    """

    def __init__(
        self, store: Store, context: Context, *, dry_run: bool = False, earlier: Mapping[int, Contact] | None = None
    ) -> None:
        self.position = 0
        self._store = store
        self._context = context
        self._dry_run = dry_run
        self._earlier = earlier or {}
        self._seen = SeenAddresses()

    def chunks(self, rows: Iterator[ImportRow], size: int) -> Iterator[Sequence[ImportRow]]:
        """Carry out rows, so many at once; gives every chunk when it is done. Raises what reading raises, too."""
        while chunk := list(islice(rows, size)):
            self.carry_out(chunk)
            yield chunk

    def carry_out(self, rows: Sequence[ImportRow]) -> None:
        """Append what the rows say, and note in each what became of it.

        Raises what kept the log from answering, Unavailable most of all: some rows may be done then, and can be
        carried out again without harm.
        """
        waiting: Sequence[ImportRow] = [row for row in rows if row.errors is None]
        with uncollected():
            while waiting:
                chosen: dict[bytes, ImportRow] = {}
                waiting = self._choose(waiting, chosen)
                self._decide(list(chosen.values()))
                for digest, row in chosen.items():
                    if row.errors is None:
                        self._seen.add(digest, row.item)

    def recall(self, rows: Sequence[ImportRow], refused: Collection[int]) -> None:
        """Take rows for done that an interrupted run recorded; ``refused`` are the items that came to nothing."""
        for row in rows:
            digest = self._seen.digest(row.email)
            if row.errors is None and row.item not in refused and not self._seen.item_of(digest):
                self._seen.add(digest, row.item)

    def _choose(self, rows: Sequence[ImportRow], chosen: dict[bytes, ImportRow]) -> list[ImportRow]:
        """Pick one row for each new address; gives the rows that must wait for what becomes of it."""
        behind = []
        for row in rows:
            digest = self._seen.digest(row.email)
            if kept := self._seen.item_of(digest):
                row.action, row.kept_item = "skipped", kept
            elif digest in chosen:
                behind.append(row)
            else:
                chosen[digest] = row
        return behind

    def _decide(self, rows: Sequence[ImportRow]) -> None:
        decider, context = import_row.decider, self._context
        orders = [Order(decider=decider, command=row, context=context, key=row.email) for row in rows]
        for row, outcome in zip(rows, self._store.handle(*orders, dry_run=self._dry_run), strict=True):
            self._settle(row, outcome)

    def _settle(self, row: ImportRow, outcome: Outcome) -> None:
        match outcome:
            case Accepted(number=number, events=events, position=position):
                row.number = number
                self.position = max(self.position, position)
                before = self._earlier.get(number)
                if before is not None:
                    row.note(before)
                row.action = "unchanged" if not events and before is None else "updated" if row.existed else "created"
            case Refused(error=refusal):
                row.refuse(refusal.fields)
            case Failed(error=error):
                raise error


class Uncollected:
    """Rests the garbage collector while rows are carried out: it would walk them again and again, and all live on.

    What it saves is a quarter of the time. Threads may nest it; the last one out starts the collector again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """For the length of a ``with`` block."""
        with self._lock:
            self._inside += 1
            gc.disable()
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if not self._inside:
                    gc.enable()


uncollected = Uncollected()


def interrupted(store: Store, correlation_id: UUID, after: int) -> dict[int, Contact]:
    """The contacts that an import has written behind a position, as they were before. Raises Unavailable."""
    before: dict[int, Contact] = {}
    for start, numbers in runs(store, correlation_id, after):
        loaded = store.load(contact.decider, numbers=numbers, as_of=start - 1)
        before.update((number, found.state) for number, found in zip(numbers, loaded, strict=True))
    return before


def runs(store: Store, correlation_id: UUID, after: int) -> Iterator[tuple[int, list[int]]]:
    """The contacts that were written one behind the other with nobody in between, and where each run starts."""
    start, last, numbers = 0, 0, dict[int, None]()
    while events := store.read(after, READ_AT_ONCE):
        for event in events:
            if event.correlation_id == correlation_id and event.kind == contact.decider.kind:
                if event.position != last + 1:
                    if numbers:
                        yield start, list(numbers)
                    start, numbers = event.position, {}
                numbers[event.contact_id] = None
                last = event.position
        after = events[-1].position
    if numbers:
        yield start, list(numbers)
