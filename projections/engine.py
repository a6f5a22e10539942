"""The engine: applies batches of the log to a projection, each event once, its checkpoint in the same transaction."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec
import psycopg

from domain.store import arrays
from domain.store.recorded import Recorded
from domain.store.unsealing import Unsealer
from projections.projection import Projection

Connection = psycopg.Connection[Any]

LOCK = """
SELECT projection, partition, position FROM checkpoints
WHERE (projection, partition) IN (SELECT * FROM unnest(%b, %b)) AND partitions = %s
ORDER BY projection, partition FOR UPDATE
"""
# Asked once the checkpoints are locked: a rebuild changes tables and version under the same lock.
STRANGERS = """
SELECT count(*) FROM read_models m JOIN unnest(%b, %b) AS v (name, version) USING (name)
WHERE m.version <> v.version
"""
ADVANCE = """
WITH come AS (
    SELECT * FROM unnest(%b, %b, %b) AS v (projection, partition, position)
), moved AS (
    UPDATE checkpoints c
    SET position = v.position, updated_at = now(),
        parked_position = CASE WHEN parked_position > v.position THEN parked_position END,
        parked_error = CASE WHEN parked_position > v.position THEN parked_error END
    FROM come v
    WHERE c.projection = v.projection AND c.partition = v.partition)
SELECT pg_notify('datamailer_checkpoint', projection) FROM (SELECT DISTINCT projection FROM come) AS names
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


class OtherVersion(Repartitioned):
    """The live tables are of another version of the projection than this code's."""


class Applied(msgspec.Struct, frozen=True):
    """Partitions that did not come through: ``behind`` missed events before the batch, ``parked`` met a bad one."""

    behind: frozenset[int] = frozenset()
    parked: frozenset[int] = frozenset()

    def __or__(self, other: Applied) -> Applied:
        return Applied(self.behind | other.behind, self.parked | other.parked)


LOST = (psycopg.OperationalError, psycopg.InterfaceError, Repartitioned)
"""Failures that say nothing about the events."""


Task = tuple[Projection, Sequence[Batch]]


def apply_all(
    connection: Connection, unsealer: Unsealer, tasks: Sequence[Task], *, partitions: int
) -> dict[str, Applied]:
    """Bring several projections forward at the price of one: each event is decoded once, and one commit holds all.

    When anything fails, each is brought forward alone, so that only the one that met a bad event parks. Gives what
    became of each by name. Raises what :func:`apply` raises.
    """
    asked = [task for task in tasks if task[1]]
    if len(asked) > 1:
        try:
            return _apply(connection, unsealer, asked, partitions)
        except LOST:
            raise
        except Exception:  # noqa: BLE001 - found again, and parked, by the one that it belongs to
            log.info("projections are applied one by one")
    return {
        projection.name: apply(connection, unsealer, projection, batches, partitions=partitions)
        for projection, batches in asked
    }


def apply(
    connection: Connection, unsealer: Unsealer, projection: Projection, batches: Sequence[Batch], *, partitions: int
) -> Applied:
    """Fold what is new in the batches and move the checkpoints, in one transaction.

    ``partitions`` is the division that the batches are of. An event that fails is found by halving; what comes before
    it is applied and its partition parked there. Raises psycopg's OperationalError and InterfaceError, Repartitioned,
    and OtherVersion; then nothing of the last transaction was written.
    """
    if not batches:
        return Applied()
    try:
        return _apply(connection, unsealer, [(projection, batches)], partitions)[projection.name]
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


def _apply(connection: Connection, unsealer: Unsealer, tasks: Sequence[Task], partitions: int) -> dict[str, Applied]:
    arrays.register(connection)
    with connection.transaction():
        positions = _lock(connection, tasks, partitions)
        _check_versions(connection, [projection for projection, _ in tasks])
        come = _come(tasks, positions)
        wanted = [(p, p.wanted(fresh.events)) for p, fresh in come if any(map(p.folds, fresh.topics))]
        _fold(connection, unsealer, [task for task in wanted if task[1]])
        _advance(connection, come)
    return {projection.name: Applied(behind=fresh.behind) for projection, fresh in come}


def _lock(connection: Connection, tasks: Sequence[Task], partitions: int) -> dict[str, dict[int, int]]:
    """The checkpoints by projection and partition."""
    asked = sorted({(projection.name, batch.partition) for projection, batches in tasks for batch in batches})
    names, numbers = zip(*asked, strict=True)
    places = (arrays.texts(names), arrays.integers(numbers), partitions)
    rows = connection.execute(LOCK, places, prepare=True).fetchall()
    if len(rows) != len(asked):
        raise Repartitioned
    positions: dict[str, dict[int, int]] = defaultdict(dict)
    for name, partition, position in rows:
        positions[name][partition] = position
    return positions


def _advance(connection: Connection, come: Sequence[tuple[Projection, Fresh]]) -> None:
    moved = [(projection.name, *checkpoint) for projection, fresh in come for checkpoint in fresh.moved]
    if moved:
        names, partitions, positions = zip(*moved, strict=True)
        columns = (arrays.texts(names), arrays.integers(partitions), arrays.bigints(positions))
        connection.execute(ADVANCE, columns, prepare=True)


def _check_versions(connection: Connection, projections: Sequence[Projection]) -> None:
    names = arrays.texts(projection.name for projection in projections)
    versions = arrays.integers(projection.version for projection in projections)
    row = connection.execute(STRANGERS, (names, versions), prepare=True).fetchone()
    if row is None or row[0]:
        raise OtherVersion


def _fold(connection: Connection, unsealer: Unsealer, wanted: Sequence[tuple[Projection, list[Recorded]]]) -> None:
    """Decode each event once, whoever wants it, and hand each projection its own."""
    if len(wanted) == 1:
        [(projection, events)] = wanted
        projection.fold(connection, unsealer.open(connection, events))
        return
    union = {recorded.position: recorded for _, events in wanted for recorded in events}
    opened = {pair[0].position: pair for pair in unsealer.open(connection, list(union.values()))}
    for projection, events in wanted:
        projection.fold(connection, [opened[recorded.position] for recorded in events])


class Fresh(NamedTuple):
    """The events of batches that are new at some checkpoints, their topics, the checkpoints after them by partition,
    and the partitions with a gap before their batch.
    """

    events: list[Recorded]
    topics: frozenset[str]
    moved: list[tuple[int, int]]
    behind: frozenset[int]


def _come(tasks: Sequence[Task], positions: Mapping[str, Mapping[int, int]]) -> list[tuple[Projection, Fresh]]:
    """What has come for each; projections that stand alike share it."""
    shared: dict[object, Fresh] = {}
    come = []
    for projection, batches in tasks:
        at = positions[projection.name]
        alike = (tuple(map(id, batches)), tuple(at.items()))
        if alike not in shared:
            shared[alike] = _fresh(batches, at)
        come.append((projection, shared[alike]))
    return come


def _fresh(batches: Sequence[Batch], checkpoints: Mapping[int, int]) -> Fresh:
    fresh: list[Recorded] = []
    positions = dict(checkpoints)
    moved: dict[int, int] = {}
    behind: set[int] = set()
    for batch in batches:
        at = positions[batch.partition]
        if batch.prev > at:
            behind.add(batch.partition)
        elif batch.through > at and batch.partition not in behind:
            fresh.extend(event for event in batch.events if event.position > at)
            positions[batch.partition] = moved[batch.partition] = batch.through
    return Fresh(fresh, frozenset(event.topic for event in fresh), list(moved.items()), frozenset(behind))


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
