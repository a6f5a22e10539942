"""The store: decides commands on loaded streams, many at once, and appends their events in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import psycopg
from eventsourcing.persistence import InterfaceError, OperationalError

from domain.decider import Decider, Event
from domain.store import arrays
from domain.store.append import Appended
from domain.store.decision import Decision
from domain.store.idempotency import PURGE, RECALL, REMEMBER, Asked, Remembered
from domain.store.keyring import Keyring, sealed, unsealed
from domain.store.loading import Workload
from domain.store.mapper import Mapper, encode_personal
from domain.store.order import Contended, Failed, Loaded, Order, Outcome, Unavailable
from domain.store.recorded import SELECT, Recorded
from domain.store.recorder import LogRecorder
from domain.store.unsealing import Unsealer

READ_KINDS = SELECT + "WHERE originator_id >= %b AND originator_id < %b ORDER BY notification_id"

ATTEMPTS = 100
"""How often a command is decided anew after losing a race, before it fails as contended.

Every loss means that another writer won, so n rivals for one stream need at most n attempts: this many never meet.
"""

SAVE_SNAPSHOT = """
INSERT INTO snapshots (originator_id, originator_version, shape, state) VALUES (%b, %b, %b, %b)
ON CONFLICT (originator_id) DO UPDATE
SET originator_version = excluded.originator_version, shape = excluded.shape, state = excluded.state
WHERE snapshots.originator_version < excluded.originator_version OR snapshots.shape <> excluded.shape
"""


class Store:
    """The write side. Thread-safe: each call takes a connection of its own from the recorder's pool."""

    def __init__(self, conninfo: str, master_key: str) -> None:
        self.conninfo = conninfo
        self.recorder = LogRecorder(conninfo)
        self.mapper = Mapper()
        with psycopg.connect(conninfo) as connection:
            self.keyring = Keyring.open(connection, master_key)
        self.unsealer = Unsealer(self.mapper, self.keyring)
        self._workload = Workload(self.recorder, self.mapper, self.keyring)

    def close(self) -> None:
        """Give the connections back."""
        self.recorder.datastore.close()

    def handle(self, *orders: Order, dry_run: bool = False) -> list[Outcome]:
        """Decide the orders, those for one stream in their order, and append all their events at once.

        Each order succeeds or fails for itself: one that a rule refuses, that other writers overtake or that breaks
        is answered alone. A dry run writes nothing. Never raises for an order;
        see the outcome.
        """
        outcomes: dict[int, Outcome] = {}
        waiting = dict(enumerate(orders))
        for _ in range(ATTEMPTS):
            self._attempt(waiting, outcomes, dry_run=dry_run)
            waiting = {place: order for place, order in waiting.items() if place not in outcomes}
            if not waiting:
                break
        return [outcomes.get(place) or Failed(Contended()) for place in range(len(orders))]

    def _attempt(self, orders: Mapping[int, Order], outcomes: dict[int, Outcome], *, dry_run: bool) -> None:
        """Answer the orders that can be answered now; those of streams that lost a race stay without an outcome."""
        try:
            self._recall(orders, outcomes)
            todo = {place: order for place, order in orders.items() if place not in outcomes}
            decision = Decision(self._workload.load(todo, claim=not dry_run))
            decision.decide(todo)
            if dry_run:
                outcomes.update(decision.outcomes)
                return
            batch = decision.batch(todo, self.mapper)
            if not batch.rows and not batch.answers:
                outcomes.update(decision.outcomes)
                return
            written = self.recorder.append(batch)
            outcomes.update(decision.answered(written))
        except (OperationalError, InterfaceError) as error:
            failure = Unavailable()
            failure.__cause__ = error
            outcomes.update({place: Failed(failure) for place in orders if place not in outcomes})
        except Exception as error:  # noqa: BLE001 - isolated, and answered as the failure of one order
            self._isolate(orders, outcomes, error, dry_run=dry_run)
        else:
            self._save_snapshots(decision, written)

    def _isolate(
        self, orders: Mapping[int, Order], outcomes: dict[int, Outcome], error: Exception, *, dry_run: bool
    ) -> None:
        """Find the order that poisons its batch by halving."""
        items = [(place, order) for place, order in orders.items() if place not in outcomes]
        if len(items) == 1:
            outcomes[items[0][0]] = Failed(error)
            return
        middle = len(items) // 2
        for half in (items[:middle], items[middle:]):
            self._attempt(dict(half), outcomes, dry_run=dry_run)

    def _save_snapshots(self, decision: Decision, written: Appended) -> None:
        due = [
            work for work in decision.works if work.pending and work.needs_snapshot and work.stream not in written.lost
        ]
        for work in due:
            state = msgspec.msgpack.encode(work.state, enc_hook=encode_personal)
            self._execute(SAVE_SNAPSHOT, (work.stream, work.version, work.decider.snapshot_version, state))

    def load(
        self,
        decider: Decider[Any],
        *,
        keys: Sequence[str] = (),
        numbers: Sequence[int] = (),
        as_of: int | datetime | None = None,
    ) -> list[Loaded]:
        """The states of many streams, those named by key first, in one query.

        ``as_of`` is a log position or a time: the state as it was then. Raises Unavailable.
        """
        until = None if as_of is None else _until(as_of)
        try:
            works = self._workload.find(decider, keys, numbers, snapshots=as_of is None, until=until)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable from error
        return [
            Loaded(
                number=work.number if work.found.events or work.found.snapshot else 0,
                version=work.version,
                state=work.state,
                position=work.found.head,
            )
            for work in works
        ]

    def read(self, after: int, limit: int) -> list[Recorded]:
        """Events in log order with positions above ``after``. Raises the library's OperationalError."""
        return self.recorder.read(after, limit)

    def read_kinds(self, first: int, last: int) -> list[Recorded]:
        """All events of the kinds from ``first`` to ``last``, in log order; meant for small kinds such as tenancy."""
        return self.recorder.query(READ_KINDS, (UUID(int=first << 96), UUID(int=last + 1 << 96)))

    def open(self, events: Sequence[Recorded]) -> list[tuple[Recorded, Event]]:
        """Decode events in bulk, their personal fields bound to the contacts' keys. Raises UnknownEvent."""
        with self.recorder.datastore.get_connection() as connection:
            return self.unsealer.open(connection, events)

    def recall(self, asked: Asked) -> Remembered | None:
        """The first answer to a request with this Idempotency-Key, if one is kept. Raises Unavailable."""
        try:
            return self._remembered([asked]).get(asked.name)
        except (OperationalError, InterfaceError) as error:
            raise Unavailable from error

    def remember(self, asked: Asked, status: int, body: bytes, position: int) -> None:
        """Keep an answer that came about without an order of its own, unless one is kept. Raises Unavailable."""
        kept = sealed(asked.secret, body)
        try:
            self._execute(REMEMBER, (*asked.name, asked.request, status, kept, position, asked.contact_id))
        except (OperationalError, InterfaceError) as error:
            raise Unavailable from error

    def purge(self) -> None:
        """Delete remembered answers whose 24 hours are over."""
        self._execute(PURGE, ())

    def _recall(self, orders: Mapping[int, Order], outcomes: dict[int, Outcome]) -> None:
        asked = {place: order.remember.asked for place, order in orders.items() if order.remember}
        if asked:
            known = self._remembered(list(asked.values()))
            outcomes.update({place: known[each.name] for place, each in asked.items() if each.name in known})

    def _remembered(self, asked: Sequence[Asked]) -> dict[tuple[int, UUID], Remembered]:
        """Answers by name, opened where the same thing is asked again."""
        parameters = (arrays.bigints(each.client_id for each in asked), arrays.uuids(each.key for each in asked))
        with self.recorder.datastore.get_connection() as connection:
            rows = self.recorder.cursor(connection).execute(RECALL, parameters, prepare=True).fetchall()
        secrets = {(each.name, each.request): each.secret for each in asked}
        answers = {}
        for client, key, request, status, body, position in rows:
            secret = secrets.get(((client, key), request))
            opened = b"" if secret is None else unsealed(secret, body)
            answers[client, key] = Remembered(request, status, opened, position)
        return answers

    def _execute(self, sql: str, parameters: Sequence[Any]) -> None:
        with self.recorder.datastore.get_connection() as connection:
            connection.execute(sql, parameters, prepare=True)


def _until(as_of: int | datetime) -> Callable[[Event, int], bool]:
    if isinstance(as_of, datetime):
        return lambda event, _: event.at <= as_of
    return lambda _, position: position <= as_of
