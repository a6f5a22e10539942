"""One projection on its way along the log: takes what the feed gives, and reads from the log what it missed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from time import monotonic
from typing import Final, NamedTuple

from consumers.session import Connection, read
from domain.store.partition import partition_of
from domain.store.recorded import Recorded
from domain.store.unsealing import Unsealer
from projections.engine import Applied, Batch, apply
from projections.projection import Projection

CHUNK: Final = 5_000
FIRST_RETRY: Final = 1.0
LONGEST_RETRY: Final = 60.0

CHECKPOINTS = "SELECT partition, partitions, position FROM checkpoints WHERE projection = %s ORDER BY partition"
BEGIN = """
INSERT INTO checkpoints (projection, partition, partitions, position)
SELECT %s, partition, %s, %s FROM generate_series(0, %s - 1) AS partition ON CONFLICT DO NOTHING
"""
END = "DELETE FROM checkpoints WHERE projection = %s"


class Progress(NamedTuple):
    """A partition as the database has it: the checkpoint, whether it is parked, and the last position published."""

    position: int
    parked: bool
    published: int


class Follower:
    """Follows the partitions that it is told to. All that matters is in the database; this may end at any moment.

    A partition is followed live, or ``behind``: then the feed's batches are left alone until the log was read to its
    end; or parked, until its time to try again.
    """

    def __init__(self, connection: Connection, unsealer: Unsealer, projection: Projection, partitions: int) -> None:
        self.projection = projection
        self._connection = connection
        self._unsealer = unsealer
        self._partitions = partitions
        self._settled = False
        self._owned: frozenset[int] = frozenset()
        self._behind: set[int] = set()
        self._parked: dict[int, float] = {}
        self._delays: dict[int, float] = {}
        self._seen: dict[int, Progress] = {}

    @property
    def busy(self) -> bool:
        """True while there is more to read from the log at once."""
        return bool(self._behind) or not (self._settled or self._parked)

    def live(self, batches: Sequence[Batch], owned: frozenset[int]) -> list[Batch]:
        """Those of the feed's batches that this projection is ready for; what became of them goes to :meth:`took`."""
        if not self._settled:
            self._settled = self._settle()
            return []
        self._behind = (self._behind & owned) | (owned - self._owned)
        self._parked = {partition: at for partition, at in self._parked.items() if partition in owned}
        self._owned = owned
        self._behind.update(self._due())
        return [b for b in batches if b.partition not in self._behind and b.partition not in self._parked]

    @property
    def behind(self) -> frozenset[int]:
        """The partitions for which the log is to be read."""
        return frozenset(self._behind)

    def read_on(self) -> None:
        """Read the log from here to its end, ahead of the feed."""
        self._behind |= self._owned - self._parked.keys()

    def took(self, applied: Applied) -> None:
        """Note what became of live batches."""
        self._behind |= applied.behind
        self._park(applied.parked)

    def filled(self, applied: Applied, *, to_end: bool) -> None:
        """Note what became of a chunk of the log, which may have been the last."""
        for partition in self._behind - applied.parked:
            self._delays.pop(partition, None)
        if to_end:
            self._behind.clear()
        self.took(applied)

    def check(self, rows: Iterable[tuple[int, Progress]], *, read_ahead: bool = False) -> None:
        """Turn to the log for partitions that stand still though more was published before, for those unparked by
        command, and for all with ``read_ahead``.
        """
        for partition, now in rows:
            before = self._seen.get(partition)
            stalled = before is not None and now.position == before.position < before.published
            parked = partition in self._parked
            if partition in self._owned and (not now.parked if parked else stalled or read_ahead):
                self._parked.pop(partition, None)
                self._behind.add(partition)
            self._seen[partition] = now

    def _due(self) -> list[int]:
        """The parked partitions that may try again."""
        due = [partition for partition, at in self._parked.items() if at <= monotonic()]
        for partition in due:
            del self._parked[partition]
        return due

    def _park(self, partitions: Collection[int]) -> None:
        for partition in partitions:
            delay = self._delays.get(partition, FIRST_RETRY)
            self._delays[partition] = min(delay * 2, LONGEST_RETRY)
            self._parked[partition] = monotonic() + delay
            self._behind.discard(partition)

    def _positions(self) -> list[tuple[int, int, int]]:
        return self._connection.execute(CHECKPOINTS, (self.projection.name,)).fetchall()

    def _settle(self) -> bool:
        """Bring the checkpoints to this division of the log. True when they are.

        Those of another division are first brought to one position by that division: only there do both say the same.
        """
        rows = self._positions()
        of = rows[0][1] if rows else self._partitions
        if rows and of == self._partitions:
            return True
        through = max((position for _, _, position in rows), default=0)
        if any(position < through for _, _, position in rows):
            self._due()
            self._level([row for row in rows if row[0] not in self._parked], through)
            return False
        with self._connection.transaction():
            locked = self._connection.execute(f"{CHECKPOINTS} FOR UPDATE", (self.projection.name,)).fetchall()
            if locked == rows:
                name = self.projection.name
                self._connection.execute(END, (name,))
                self._connection.execute(BEGIN, (name, self._partitions, through, self._partitions))
        return False

    def _level(self, rows: Sequence[tuple[int, int, int]], through: int) -> None:
        """Bring partitions of another division a chunk of the log closer to the position."""
        after = min((position for _, _, position in rows), default=through)
        limit = min(CHUNK, through - after)
        if limit:
            of = rows[0][1]
            chunk = divided(read(self._connection, after, limit), after, [row[0] for row in rows], of)
            self._park(apply(self._connection, self._unsealer, self.projection, chunk, partitions=of).parked)


def divided(events: Sequence[Recorded], after: int, wanted: Collection[int], partitions: int) -> list[Batch]:
    """Cut a chunk of the log into a batch for each of the partitions; all reach as far as the chunk."""
    by_partition: dict[int, list[Recorded]] = {partition: [] for partition in sorted(wanted)}
    for event in events:
        partition = partition_of(event, partitions)
        if partition in by_partition:
            by_partition[partition].append(event)
    through = events[-1].position
    return [Batch(partition, after, chosen, through) for partition, chosen in by_partition.items()]
