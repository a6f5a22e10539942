"""Undoes an import job: finds the contacts that it changed and takes back what nobody changed since."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID, uuid5

import msgspec
from eventsourcing.persistence import InterfaceError, OperationalError
from msgspec.structs import replace

from domain import contact, import_job, import_undo
from domain.decider import Event, Rejected
from domain.import_job import ImportStarted
from domain.import_undo import Aspect, Author, Plan, UndoImport
from domain.store import arrays
from domain.store.history import read_stream
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Unavailable
from domain.store.recorded import SELECT

CHUNK: Final = 500
ENDED: Final = ("succeeded", "failed")
IMPORTED: Final = """
SELECT DISTINCT contact_id FROM log WHERE notification_id > %b AND notification_id <= %b AND correlation_id = %b
AND originator_id >= stream_id(4, 0) AND originator_id < stream_id(5, 0) ORDER BY contact_id
"""
STREAMS: Final = SELECT + "WHERE originator_id = ANY(%b) ORDER BY originator_id, originator_version"


class Undone(msgspec.Struct):
    """How many contacts have something of the import, how many things went back, how many stay for others' sake."""

    contacts: int = 0
    undone: int = 0
    left_alone: int = 0
    undone_by_aspect: dict[Aspect, int] = {}
    left_alone_by_aspect: dict[Aspect, int] = {}

    def add(self, plan: Plan) -> None:
        """Count a contact's plan."""
        self.contacts += bool(plan.reversals or plan.left_alone)
        self.undone += len(plan.reversals)
        self.left_alone += len(plan.left_alone)
        for counts, facets in (
            (self.undone_by_aspect, [each.facet for each in plan.reversals]),
            (self.left_alone_by_aspect, plan.left_alone),
        ):
            for aspect, *_ in facets:
                counts[aspect] = counts.get(aspect, 0) + 1


def undo(store: Store, number: int, context: Context, at: datetime, *, dry_run: bool = False) -> Undone:
    """Undo the import job of the number; once more changes nothing.

    Raises Rejected ``not_finished`` on ``status`` while the job is on its way, Unavailable, Contended.
    """
    stream = read_stream(store, import_job.decider.kind, number)
    state = store.load(import_job.decider, numbers=[number])[0].state
    if state.status not in ENDED:
        raise Rejected("not_finished", "status")
    undone = Undone()
    for recorded, event in stream.events:
        if isinstance(event, ImportStarted):
            job = recorded.correlation_id
            end = stream.events[-1][0].position
            context = replace(context, correlation_id=uuid5(job, "undo"))
            for numbers in _contacts(store, event.position, end, job):
                _undo(store, _plans(store, numbers, job), context, at, undone, dry_run=dry_run)
            break
    return undone


def _contacts(store: Store, after: int, until: int, job: UUID) -> Iterator[list[int]]:
    try:
        with store.recorder.datastore.get_connection() as connection:
            cursor = store.recorder.cursor(connection).execute(IMPORTED, (after, until, job))
            numbers = [number for (number,) in cursor.fetchall()]
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
    for start in range(0, len(numbers), CHUNK):
        yield numbers[start : start + CHUNK]


def _plans(store: Store, numbers: list[int], job: UUID) -> dict[int, Plan]:
    streams = arrays.uuids(UUID(int=contact.decider.kind << 96 | number) for number in numbers)
    authors: dict[UUID, Author] = {job: "import", uuid5(job, "undo"): "undo"}
    histories: dict[int, list[tuple[Author, Event]]] = defaultdict(list)
    try:
        events = store.open(store.recorder.query(STREAMS, (streams,)))
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
    for recorded, event in events:
        histories[recorded.contact_id].append((authors.get(recorded.correlation_id, "other"), event))
    return {number: import_undo.plan(history) for number, history in histories.items()}


def _undo(
    store: Store, plans: Mapping[int, Plan], context: Context, at: datetime, undone: Undone, *, dry_run: bool
) -> None:
    orders = [
        Order(
            decider=import_undo.decider,
            number=number,
            command=UndoImport(at=at, reversals=plan.reversals),
            context=context,
        )
        for number, plan in plans.items()
    ]
    for plan, outcome in zip(plans.values(), store.handle(*orders, dry_run=dry_run), strict=True):
        if isinstance(outcome, Failed):
            raise outcome.error
        if isinstance(outcome, Accepted):
            undone.add(plan)
