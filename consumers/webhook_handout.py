"""Hands events out: one delivery for each webhook that wanted an event when it happened, exactly once.

The log is gone through in its order, up to where the read model ``webhooks`` knows who wanted what, and the place that
was reached is kept in the transaction of the deliveries.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from consumers.session import Connection
from projections.checkpoint import reflected_position
from projections.webhooks import PROJECTION

STEP: Final = 10_000
"""Positions that one transaction goes through."""

# One session at a time hands out; another that comes meanwhile finds no row and has nothing to do.
REACHED: Final = "SELECT position FROM webhook_progress FOR UPDATE SKIP LOCKED"
FIRST: Final = "SELECT min(since) FROM webhook_stretches WHERE until IS NULL OR until > %s"
# What happens to a webhook itself is for its neighbours, but for a ping, which is for it alone.
HAND_OUT: Final = """
WITH asking AS MATERIALIZED (SELECT array_agg(DISTINCT client_id) AS clients FROM webhook_stretches)
INSERT INTO webhook_deliveries (webhook_id, position)
SELECT s.webhook_id, l.notification_id
FROM log l
JOIN webhook_stretches s ON s.client_id = l.client_id AND s.since < l.notification_id
    AND (s.until IS NULL OR s.until > l.notification_id)
WHERE l.notification_id > %(after)s AND l.notification_id <= %(through)s
AND l.client_id = ANY ((SELECT clients FROM asking)::bigint[])
AND CASE
    WHEN l.topic LIKE 'webhook.pinged@%%' THEN l.originator_id = stream_id(12, s.webhook_id)
    WHEN l.originator_id = stream_id(12, s.webhook_id) THEN false
    ELSE cardinality(s.types) = 0 OR split_part(l.topic, '@', 1) = ANY (s.types) END
ON CONFLICT DO NOTHING
"""
MOVE: Final = "UPDATE webhook_progress SET position = %s"


class HandedOut(NamedTuple):
    """Whether there is ``more`` to go through at once, and whether anybody wants events at all."""

    more: bool
    wanted: bool


def hand_out(connection: Connection) -> HandedOut:
    """Go one step on. Raises psycopg's OperationalError."""
    with connection.transaction():
        row = connection.execute(REACHED, prepare=True).fetchone()
        if row is None:
            return HandedOut(more=False, wanted=True)
        reached = int(row[0])
        end = reflected_position(connection, PROJECTION.name)
        found = connection.execute(FIRST, (reached,), prepare=True).fetchone()
        first = found[0] if found else None
        after = min(end, max(reached, first)) if first is not None else end
        through = min(after + STEP, end)
        if after < through:
            connection.execute(HAND_OUT, {"after": after, "through": through}, prepare=True)
        if through > reached:
            connection.execute(MOVE, (through,), prepare=True)
        return HandedOut(more=through < end, wanted=first is not None)
