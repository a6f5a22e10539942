"""Reads parts of the log as they were written: all of one stream, or what belongs to one client's scope."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import InterfaceError, OperationalError

from domain.decider import Event
from domain.store import arrays
from domain.store.log import Store
from domain.store.order import Unavailable
from domain.store.own_events import open_own
from domain.store.recorded import SELECT, Recorded

READ_STREAM = SELECT + "WHERE originator_id = %b ORDER BY originator_version"

READ_CLIENT = (
    SELECT
    + """
WHERE notification_id > %b AND notification_id <= %b AND client_id = %b AND (NOT %b OR topic = ANY(%b))
ORDER BY notification_id LIMIT %b
"""
)

STEP = 100_000
"""Positions that one query goes through: some 20 ms."""

MOST_STEPS = 20
"""Steps within one page, after which it ends even if it is not full: others wait for the connection."""

Opened = tuple[Recorded, Event]

Moment = int | datetime
"""A log position, or a time."""


class Stream(NamedTuple):
    """All events of a stream in order, and a position up to which there are no others."""

    events: list[Opened]
    head: int


class Page(NamedTuple):
    """Events of one client in log order; every one up to ``through`` is there. ``head`` is where the log ends."""

    events: list[Opened]
    through: int
    head: int


def read_stream(store: Store, kind: int, number: int) -> Stream:
    """The whole life of a thing; no events when there is none. Raises Unavailable, UnknownEvent."""
    try:
        head = store.recorder.head()
        events = store.recorder.query(READ_STREAM, (UUID(int=kind << 96 | number),))
        return Stream(store.open(events), max([head, *(event.position for event in events[-1:])]))
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error


def known_by(events: Sequence[Opened], moment: Moment) -> list[Opened]:
    """Those of a stream's events that had happened at the moment.

    By time, they end before the first that is later: what they add up to is a state that the thing was once in.
    """
    if isinstance(moment, datetime):
        return list(takewhile(lambda opened: opened[1].at <= moment, events))
    return list(takewhile(lambda opened: opened[0].position <= moment, events))


def read_client(store: Store, client_id: int, after: int, limit: int, topics: Sequence[str] = ()) -> Page:
    """The client's events above ``after``, at most ``limit``, of the topics or of all.

    A position beyond the log's end is taken as that end. Raises Unavailable, UnknownEvent.
    """
    try:
        head = store.recorder.head()
        found: list[Recorded] = []
        through = min(after, head)
        for _ in range(MOST_STEPS):
            if through >= head or len(found) >= limit:
                break
            end, left = min(through + STEP, head), limit - len(found)
            wanted = (bool(topics), arrays.texts(topics))
            events = store.recorder.query(READ_CLIENT, (through, end, client_id, *wanted, left))
            found += events
            through = events[-1].position if len(events) == left else end
        return Page(open_own(store, found), through, head)
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
