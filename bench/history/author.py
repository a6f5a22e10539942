"""Writes many streams that nobody else has: decides, seals and appends as the store does, with nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from bench.row import RowFailed
from bench.scopes import Scope
from domain.decider import Decider
from domain.store.append import Append
from domain.store.found import Found
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from domain.store.work import ContactKeys, Work

BATCH: Final = 10_000
"""Events in an append, or a little more."""
NUMBERS = "SELECT nextval(%b::text::regclass) FROM generate_series(1, %b::integer)"


class Act(NamedTuple):
    """When something is done, and by what: the source of its events."""

    at: datetime
    source: str


class Author:
    """One writer; several may write the same log, each in a process of its own."""

    def __init__(self, store: Store, scope: Scope) -> None:
        self.store = store
        self.scope = scope
        self.events = 0
        self._open: dict[int, Work] = {}
        self._pending = 0
        self._contexts: dict[Act, Context] = {}

    def numbers(self, decider: Decider[Any], count: int) -> list[int]:
        """So many new numbers of a kind, drawn as the store draws them."""
        with self.store.recorder.datastore.get_connection() as connection:
            cursor = self.store.recorder.cursor(connection)
            return [number for (number,) in cursor.execute(NUMBERS, (f"number_{decider.kind}", count))]

    def begin(self, decider: Decider[Any], number: int, *, key: str | None = None, of: Work | None = None) -> Work:
        """A stream without events. ``key`` is what it claims, ``of`` the contact that it concerns."""
        fresh = key is not None
        found = Found(UUID(int=decider.kind << 96 | number), fresh, {}, None, [], 0, 0)
        digest = None if key is None else self.store.keyring.digest(decider.name, key)
        keys = ContactKeys(self.store.keyring, {}) if of is None else of.keys
        return Work(decider, digest, 0 if of is None else of.number, found, keys)

    def act(self, work: Work, command: Any, act: Act) -> None:
        """Decide, and write what comes of it sooner or later. Raises domain's Rejected, RowFailed."""
        events = work.decider.decide(work.state, command)
        work.apply(events, self._context(act))
        self._open[id(work)] = work
        self.events += len(events)
        self._pending += len(events)
        if self._pending >= BATCH:
            self.write()

    def write(self) -> None:
        """Append what was decided. Raises RowFailed when another writer had one of the streams."""
        batch = Append([], [], [], [], [], [])
        for work in self._open.values():
            work.add_to(batch, self.store.mapper)
        if batch.rows and self.store.recorder.append(batch).lost:
            raise RowFailed("streams of the history were another's")
        for work in self._open.values():
            work.expected = work.version
            work.found = work.found._replace(fresh=False)
            work.pending.clear()
        self._open.clear()
        self._contexts.clear()
        self._pending = 0

    def carry_out(self, decider: Decider[Any], key: str, commands: Sequence[Any], act: Act) -> Accepted:
        """Put commands for one stream to the store itself; gives what became of the last. Raises RowFailed."""
        context = self._context(act)
        orders = [Order(decider=decider, key=key, command=command, context=context) for command in commands]
        outcomes = self.store.handle(*orders)
        self.events += sum(len(outcome.events) for outcome in outcomes if isinstance(outcome, Accepted))
        if not isinstance(outcomes[-1], Accepted):
            raise RowFailed(f"the store answered {outcomes[-1]}")
        return outcomes[-1]

    def _context(self, act: Act) -> Context:
        context = self._contexts.get(act)
        if context is None:
            whose = self.scope
            context = Context(organization_id=whose.organization_id, client_id=whose.client_id, source=act.source)
            self._contexts[act] = context
        return context
