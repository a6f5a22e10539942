"""Carries the rows of an import into the log, a chunk at a time, and says what became of each."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from domain import import_row
from domain.import_row import ImportRow
from domain.seen_addresses import SeenAddresses
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Refused

CHUNK = 2_000
"""Rows in one append: long enough to be fast, short enough that a single command waits for a blink only."""


class Importing:
    """One import. Of several valid rows for an address the first one wins (seed, Deduplication).

    ``earlier`` holds what an interrupted run did already, by the contact's number: whether its subscription was there
    before that run touched it.
    """

    def __init__(
        self, store: Store, context: Context, *, dry_run: bool = False, earlier: Mapping[int, bool] | None = None
    ) -> None:
        self.position = 0
        self._store = store
        self._context = context
        self._dry_run = dry_run
        self._earlier = earlier or {}
        self._seen = SeenAddresses()

    def carry_out(self, rows: Sequence[ImportRow]) -> None:
        """Append what the rows say, and note in each what became of it.

        Raises what kept the log from answering, Unavailable most of all: some rows may be done then, and can be
        carried out again without harm.
        """
        waiting = [row for row in rows if row.errors is None]
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
                existed = self._earlier.get(number)
                if existed is None and not events:
                    row.action = "unchanged"
                else:
                    row.action = "updated" if (row.existed if existed is None else existed) else "created"
            case Refused(error=refusal):
                row.refuse(refusal.fields)
            case Failed(error=error):
                raise error
