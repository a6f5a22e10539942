"""The feed without Kafka: one consumer at a time follows the log table itself."""

from __future__ import annotations

from threading import Event as Flag
from typing import Final

from consumers.feed import UNDIVIDED, Division
from consumers.session import connect, head, lead, listen, read, wait
from projections.engine import Batch

LIMIT: Final = 5_000
WHOLE: Final = frozenset({0})
GATHER: Final = 0.004
"""Seconds for which events are gathered while they keep coming: every batch has a price, whatever its size."""


class DirectFeed:
    """Begins at the log's head as it was when the lead was won; what came before is the consumer's to read."""

    division: Division = UNDIVIDED
    owned = WHOLE

    def __init__(self, conninfo: str, consumer: str, stop: Flag) -> None:
        """Wait for the lead among consumers of the name. Raises psycopg's OperationalError."""
        self._connection = connect(conninfo, f"{consumer} feed")
        listen(self._connection)
        self._after = head(self._connection) if lead(self._connection, consumer, stop) else 0
        self._stop = stop
        self._flowing = False

    def poll(self, timeout: float) -> list[Batch]:
        """The events after those of the last poll."""
        if self._flowing and timeout:
            self._stop.wait(GATHER)
        events = read(self._connection, self._after, LIMIT)
        if not events and timeout:
            wait(self._connection, timeout)
            events = read(self._connection, self._after, LIMIT)
        self._flowing = bool(events)
        if not events:
            return []
        prev, self._after = self._after, events[-1].position
        return [Batch(0, prev, events, self._after)]

    def close(self) -> None:
        """Give the lead to the next one."""
        self._connection.close()
