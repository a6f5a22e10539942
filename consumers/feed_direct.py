"""The feed without Kafka: one consumer at a time follows the log table itself."""

from __future__ import annotations

from threading import Event as Flag
from typing import Final

from consumers.feed import UNDIVIDED, Division
from consumers.session import closed_on_error, connect, head, lead, listen, read, wait
from projections.engine import Batch

LIMIT: Final = 5_000
WHOLE: Final = frozenset({0})
GATHER: Final = 0.008
"""Seconds for which events are gathered while they keep coming: every batch has a price, whatever its size."""
CROWD: Final = 60
CROWDED: Final = 0.024
"""The same behind a batch of so many events: a thousand commands a second and more are there."""

# The positions of a relay that ran before say nothing any more.
UNRELAYED: Final = "WITH gone AS (DELETE FROM relay_partitions) DELETE FROM relay"


class DirectFeed:
    """Begins at the log's head as it was when the lead was won; what came before is the consumer's to read."""

    division: Division = UNDIVIDED
    owned = WHOLE

    def __init__(self, conninfo: str, consumer: str, stop: Flag) -> None:
        """Wait for the lead among consumers of the name, or until stopped. Raises psycopg's OperationalError."""
        self._stop = stop
        self._came = 0
        self._after = 0
        self._connection = connect(conninfo, f"{consumer} feed")
        with closed_on_error(self._connection):
            listen(self._connection)
            if lead(self._connection, consumer, stop):
                self._connection.execute(UNRELAYED)
                self._after = head(self._connection)

    def poll(self, timeout: float) -> list[Batch]:
        """The events after those of the last poll."""
        if timeout and 0 < self._came < LIMIT:
            self._stop.wait(CROWDED if self._came >= CROWD else GATHER)
        events = read(self._connection, self._after, LIMIT)
        if not events and timeout:
            wait(self._connection, timeout)
            events = read(self._connection, self._after, LIMIT)
        self._came = len(events)
        if not events:
            return []
        prev, self._after = self._after, events[-1].position
        return [Batch(0, prev, events, self._after)]

    def close(self) -> None:
        """Give the lead to the next one."""
        self._connection.close()
