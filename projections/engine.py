"""The engine: applies batches of the log to a projection, each event once, its checkpoint in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import msgspec
import psycopg

from domain.store.recorded import Recorded
from domain.store.unsealing import Unsealer
from projections.projection import Projection

Connection = psycopg.Connection[Any]

LOCK = """
SELECT partition, position FROM checkpoints
WHERE projection = %s AND partitions = %s AND partition = ANY(%s::integer[])
ORDER BY partition FOR UPDATE
"""
ADVANCE = """
WITH moved AS (
    UPDATE checkpoints c
    SET position = v.position, updated_at = now(),
        parked_position = CASE WHEN parked_position > v.position THEN parked_position END,
        parked_error = CASE WHEN parked_position > v.position THEN parked_error END
    FROM unnest(%s::integer[], %s::bigint[]) AS v (partition, position)
    WHERE c.projection = %s AND c.partition = v.partition)
SELECT pg_notify('datamailer_checkpoint', %s)
"""
PARK = """
UPDATE checkpoints SET parked_position = %s, parked_error = %s, updated_at = now()
WHERE projection = %s AND partition = %s AND partitions = %s AND position < %s
"""
log = logging.getLogger(__name__)


class Batch(msgspec.Struct, frozen=True):
    """A stretch of one partition: all its events with positions above ``prev`` and up to ``through``, in order."""

    partition: int
    prev: int
    events: Sequence[Recorded]
    through: int


class Repartitioned(Exception):
    """The checkpoints are of another division of the log than the batch."""


class Applied(msgspec.Struct, frozen=True):
    """Partitions that did not come through: ``behind`` missed events before the batch, ``parked`` met a bad one."""

    behind: frozenset[int] = frozenset()
    parked: frozenset[int] = frozenset()

    def __or__(self, other: Applied) -> Applied:
        return Applied(self.behind | other.behind, self.parked | other.parked)


LOST = (psycopg.OperationalError, psycopg.InterfaceError, Repartitioned)
"""Failures that say nothing about the events."""


def apply(
    connection: Connection, unsealer: Unsealer, projection: Projection, batches: Sequence[Batch], *, partitions: int
) -> Applied:
    """Fold what is new in the batches and move the checkpoints, in one transaction.

    ``partitions`` is the division that the batches are of. An event that fails is found by halving; what comes before
    it is applied and its partition parked there. Raises psycopg's OperationalError and InterfaceError, and
    Repartitioned; then nothing of the last transaction was written.
    """
    if not batches:
        return Applied()
    try:
        return _apply(connection, unsealer, projection, batches, partitions)
    except LOST:
        raise
    except Exception as error:
        halves = _halve(batches)
        if halves is None:
            if not batches[0].events:
                raise
            return _park(connection, projection, batches[0], partitions, error)
    first = apply(connection, unsealer, projection, halves[0], partitions=partitions)
    rest = [batch for batch in halves[1] if batch.partition not in first.behind | first.parked]
    return first | apply(connection, unsealer, projection, rest, partitions=partitions)


def _apply(
    connection: Connection, unsealer: Unsealer, projection: Projection, batches: Sequence[Batch], partitions: int
) -> Applied:
    asked = sorted({batch.partition for batch in batches})
    with connection.transaction():
        rows = connection.execute(LOCK, (projection.name, partitions, asked), prepare=True).fetchall()
        if len(rows) != len(asked):
            raise Repartitioned
        fresh, moved, behind = _fresh(batches, dict(rows))
        wanted = projection.wanted(fresh)
        if wanted:
            projection.fold(connection, unsealer.open(connection, wanted))
        if moved:
            name = projection.name
            connection.execute(ADVANCE, (list(moved), list(moved.values()), name, name), prepare=True)
    return Applied(behind=behind)


def _fresh(
    batches: Sequence[Batch], positions: dict[int, int]
) -> tuple[list[Recorded], dict[int, int], frozenset[int]]:
    """The events that are new, the checkpoints after them, and the partitions with a gap before their batch."""
    fresh: list[Recorded] = []
    moved: dict[int, int] = {}
    behind: set[int] = set()
    for batch in batches:
        at = positions[batch.partition]
        if batch.prev > at:
            behind.add(batch.partition)
        elif batch.through > at and batch.partition not in behind:
            fresh.extend(event for event in batch.events if event.position > at)
            positions[batch.partition] = moved[batch.partition] = batch.through
    return fresh, moved, frozenset(behind)


def _halve(batches: Sequence[Batch]) -> tuple[Sequence[Batch], Sequence[Batch]] | None:
    if len(batches) > 1:
        middle = len(batches) // 2
        return batches[:middle], batches[middle:]
    batch = batches[0]
    middle = len(batch.events) // 2
    if not middle:
        return None
    cut = batch.events[middle - 1].position
    first = Batch(batch.partition, batch.prev, batch.events[:middle], cut)
    return [first], [Batch(batch.partition, cut, batch.events[middle:], batch.through)]


def _park(connection: Connection, projection: Projection, batch: Batch, partitions: int, error: Exception) -> Applied:
    """Keep the event's position and what kind of error it met, never its words: they may hold personal data."""
    bad = batch.events[0]
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    where = "" if trace is None else f", line {trace.tb_lineno} of {trace.tb_frame.f_code.co_name}"
    what = f"{type(error).__name__} on {bad.topic}{where}"
    name = projection.name
    connection.execute(PARK, (bad.position, what, name, batch.partition, partitions, bad.position))
    log.error("projection parked", extra={"projection": name, "position": bad.position, "error": what})
    return Applied(parked=frozenset({batch.partition}))
