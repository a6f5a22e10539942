"""Carries the rows of an import into the log, a chunk at a time, and says what became of each."""

from __future__ import annotations

import gc
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from functools import partial
from itertools import islice
from threading import Lock
from typing import NamedTuple
from uuid import UUID

from domain import contact, import_row
from domain.contact import Contact
from domain.decider import Rejected
from domain.import_row import ImportRow
from domain.seen_addresses import SeenAddresses
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Refused

CHUNK = 1_000
"""Rows in one append: long enough to be fast, short enough that a single command waits for a blink only."""

POOL = ThreadPoolExecutor(4, thread_name_prefix="import chunk")
READ_AT_ONCE = 5_000


class Flight(NamedTuple):
    """A chunk on its way. ``chosen`` are the rows that are being carried out, by the digests of their addresses;
    ``behind`` are those that must wait for what becomes of them.
    """

    rows: Sequence[ImportRow]
    chosen: Mapping[bytes, ImportRow]
    behind: Sequence[ImportRow]
    outcomes: Future[list[Outcome]]


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
        self._flight: Flight | None = None

    def chunks(self, rows: Iterator[ImportRow], size: int) -> Iterator[Sequence[ImportRow]]:
        """Append what the rows say, so many at once, and note in each what became of it.

        Gives every chunk when it is done. The next one is on its way by then: it is decided while Postgres appends the
        one before it, and appended after that. Raises what reading raises, once all that was read is done; and what
        kept the log from answering, Unavailable most of all: some rows may be done then, and can be carried out again
        without harm.
        """
        try:
            yield from self._chunks(rows, size)
        except Rejected:
            if self._flight is not None:
                yield self._land(self._flight)
            raise
        except Exception:
            if self._flight is not None:
                wait([self._flight.outcomes])
            raise

    def _chunks(self, rows: Iterator[ImportRow], size: int) -> Iterator[Sequence[ImportRow]]:
        while chunk := list(islice(rows, size)):
            if self._flight is not None and self._flight.behind:
                yield self._land(self._flight)
            before = self._flight
            self._start(chunk)
            if before is not None:
                yield self._land(before)
        if self._flight is not None:
            yield self._land(self._flight)

    def carry_out(self, rows: Sequence[ImportRow]) -> None:
        """Append what the rows say at once, and return when they are done. Raises what :meth:`chunks` raises."""
        self._land(self._start(rows))

    def recall(self, rows: Sequence[ImportRow], refused: Collection[int]) -> None:
        """Take rows for done that an interrupted run recorded; ``refused`` are the items that came to nothing."""
        for row in rows:
            digest = self._seen.digest(row.email)
            if row.errors is None and row.item not in refused and not self._seen.item_of(digest):
                self._seen.add(digest, row.item)

    def _start(self, rows: Sequence[ImportRow]) -> Flight:
        """Send rows on their way, to be appended after what is there already."""
        before = self._flight
        chosen: dict[bytes, ImportRow] = {}
        behind = self._choose(rows, chosen, {} if before is None else before.chosen)
        turn = partial(wait, [] if before is None else [before.outcomes])
        self._flight = Flight(rows, chosen, behind, POOL.submit(self._handle, list(chosen.values()), turn))
        return self._flight

    def _land(self, flight: Flight) -> Sequence[ImportRow]:
        """Wait for what becomes of a chunk, and carry out the rows that waited for the same; gives all of them."""
        rows = flight.rows
        while True:
            outcomes = flight.outcomes.result()
            for (digest, row), outcome in zip(flight.chosen.items(), outcomes, strict=True):
                self._settle(row, outcome)
                if row.errors is None:
                    self._seen.add(digest, row.item)
            if self._flight is flight:
                self._flight = None
            if not flight.behind:
                return rows
            flight = self._start(flight.behind)

    def _choose(
        self, rows: Sequence[ImportRow], chosen: dict[bytes, ImportRow], ahead: Mapping[bytes, ImportRow]
    ) -> list[ImportRow]:
        """Pick one valid row for each new address; gives those that must wait for what becomes of another's."""
        behind = []
        for row in rows:
            if row.errors is not None:
                continue
            digest = self._seen.digest(row.email)
            if kept := self._seen.item_of(digest):
                row.action, row.kept_item = "skipped", kept
            elif digest in chosen or digest in ahead:
                behind.append(row)
            else:
                chosen[digest] = row
        return behind

    def _handle(self, rows: Sequence[ImportRow], turn: Callable[[], object]) -> list[Outcome]:
        decider, context = import_row.decider, self._context
        orders = [Order(decider=decider, command=row, context=context, key=row.email) for row in rows]
        with uncollected():
            return self._store.handle(*orders, dry_run=self._dry_run, turn=turn)

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
