"""How far the read models have come: what a reader may rely on, what it waits for, and what operators watch."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg

Connection = psycopg.Connection[Any]

CHECKPOINT_CHANNEL = "datamailer_checkpoint"
"""Notified with the projection's name when a checkpoint moved, and with ``relay`` when the relay's position did."""

# A partition that has all that was published on it reflects everything up to the relay's position: what it does not
# have is on other partitions. One snapshot of all three tables makes that exact. Checkpoints of another division than
# the relay's, such as a direct feed's, count alone.
REFLECTED = """
SELECT coalesce(min(
    CASE WHEN c.position >= p.position THEN greatest(c.position, r.position) ELSE c.position END), 0)
FROM checkpoints c
LEFT JOIN relay r ON r.partitions = c.partitions
LEFT JOIN relay_partitions p ON r.partitions IS NOT NULL AND p.partition = c.partition
WHERE c.projection = %s
"""
LAGS = """
WITH reflected AS (
    SELECT c.projection AS name,
        min(CASE WHEN c.position >= p.position THEN greatest(c.position, r.position) ELSE c.position END) AS position,
        min(c.parked_position) AS parked_position,
        (array_agg(c.parked_error ORDER BY c.parked_position) FILTER (WHERE c.parked_position IS NOT NULL))[1]
            AS parked_error
    FROM checkpoints c
    LEFT JOIN relay r ON r.partitions = c.partitions
    LEFT JOIN relay_partitions p ON r.partitions IS NOT NULL AND p.partition = c.partition
    GROUP BY c.projection
    UNION ALL
    SELECT 'relay', position, NULL, NULL FROM relay
), head AS (
    SELECT coalesce(max(notification_id), 0) AS position FROM log
)
SELECT name, f.position, greatest(head.position - f.position, 0),
    coalesce(extract(epoch FROM clock_timestamp() - next.occurred_at), 0)::float8, parked_position, parked_error
FROM reflected f CROSS JOIN head
LEFT JOIN log next ON next.notification_id = f.position + 1
ORDER BY name
"""
UNPARK = """
WITH freed AS (
    UPDATE checkpoints SET parked_position = NULL, parked_error = NULL
    WHERE projection = %s AND parked_position IS NOT NULL RETURNING partition)
SELECT count(*) FROM freed
"""


class Lag(msgspec.Struct, frozen=True):
    """How far behind the log a follower is: a projection, or the ``relay``.

    ``events`` counts those in the log that it does not reflect, ``seconds`` is the age of the oldest. While it is
    parked, ``parked_error`` says on what; no personal data is in it.
    """

    name: str
    position: int
    events: int
    seconds: float
    parked_position: int | None
    parked_error: str | None


def reflected_position(connection: Connection, projection: str) -> int:
    """The highest position up to which every event is in the projection's rows; 0 before it began."""
    row = connection.execute(REFLECTED, (projection,), prepare=True).fetchone()
    return int(row[0]) if row else 0


def is_caught_up(connection: Connection, projection: str, position: int) -> bool:
    """True when everything up to the position is in the projection's rows. Notified on :data:`CHECKPOINT_CHANNEL`."""
    return reflected_position(connection, projection) >= position


def lags(connection: Connection) -> list[Lag]:
    """Every follower by name; those that never ran are missing."""
    return [Lag(*row) for row in connection.execute(LAGS)]


def unpark(connection: Connection, projection: str) -> int:
    """Have a parked projection try again within a second; gives how many of its partitions were parked."""
    row = connection.execute(UNPARK, (projection,)).fetchone()
    return int(row[0]) if row else 0
