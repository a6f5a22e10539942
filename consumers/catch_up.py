"""Reads the log for projections that are behind: those near one another share the reading, decoding and committing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, TypeVar

from consumers.follower import CHUNK, Follower, divided
from consumers.session import Connection, read
from domain.store.unsealing import Unsealer
from projections.engine import Applied, Repartitioned, apply_all

T = TypeVar("T")

POSITIONS: Final = "SELECT projection, partition, position FROM checkpoints WHERE partitions = %s"


def catch_up(connection: Connection, unsealer: Unsealer, followers: Collection[Follower], partitions: int) -> None:
    """Bring each that is behind a chunk of the log further. Raises what ``apply`` raises."""
    behind = [follower for follower in followers if follower.behind]
    if not behind:
        return
    rows = connection.execute(POSITIONS, (partitions,), prepare=True)
    positions = {(name, partition): position for name, partition, position in rows}
    try:
        reached = [(min(positions[f.projection.name, p] for p in f.behind), f) for f in behind]
    except KeyError as error:
        raise Repartitioned from error
    for after, near in together(reached):
        events = read(connection, after, CHUNK)
        wanted = frozenset[int]().union(*(follower.behind for follower in near))
        batches = {batch.partition: batch for batch in divided(events, after, wanted, partitions)} if events else {}
        tasks = [(f.projection, [batches[p] for p in sorted(f.behind)] if events else []) for f in near]
        applied = apply_all(connection, unsealer, tasks, partitions=partitions)
        for follower in near:
            follower.filled(applied.get(follower.projection.name, Applied()), to_end=len(events) < CHUNK)


def together(reached: Sequence[tuple[int, T]]) -> Iterator[tuple[int, list[T]]]:
    """Those whose next events are in one chunk, with the position to read it from; what each has, it skips."""
    waiting = sorted(reached, key=lambda pair: pair[0])
    while waiting:
        first = waiting[0][0]
        near = [one for after, one in waiting if after < first + CHUNK]
        yield first, near
        waiting = waiting[len(near) :]
