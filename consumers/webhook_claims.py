"""Which session has which delivery in hand. One that dies lets go of its claims by the end of its session."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from secrets import randbelow
from typing import Final, NamedTuple

from consumers.claims import BEGIN, HIGHEST
from consumers.session import Connection

SESSIONS: Final = 721_107
"""The class of advisory locks by which sessions show that they live."""

LIVE: Final = """
SELECT array_agg(objid::integer) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted
"""
# Webhooks that are switched off, or whose client is, keep what is theirs until they are switched on again.
DUE: Final = """
SELECT w.webhook_id FROM webhooks w JOIN clients c ON c.client_id = w.client_id AND c.active
WHERE w.off IS NULL AND NOT w.deleted AND EXISTS (
    SELECT FROM webhook_deliveries d
    WHERE d.webhook_id = w.webhook_id AND d.dead_at IS NULL AND d.next_at <= now() AND d.position > w.since
    AND (d.claimed_by IS NULL OR d.claimed_by <> ALL (%s::integer[])))
"""
CLAIM: Final = """
UPDATE webhook_deliveries SET claimed_by = %s FROM (
    SELECT f.webhook_id, f.position
    FROM unnest(%s::bigint[], %s::integer[]) AS r (webhook_id, room)
    JOIN webhooks w ON w.webhook_id = r.webhook_id
    CROSS JOIN LATERAL (
        SELECT d.webhook_id, d.position FROM webhook_deliveries d
        WHERE d.webhook_id = r.webhook_id AND d.dead_at IS NULL AND d.next_at <= now() AND d.position > w.since
        AND (d.claimed_by IS NULL OR d.claimed_by <> ALL (%s::integer[]))
        ORDER BY d.next_at, d.position LIMIT r.room FOR UPDATE SKIP LOCKED) AS f) AS free
WHERE webhook_deliveries.webhook_id = free.webhook_id AND webhook_deliveries.position = free.position
RETURNING webhook_deliveries.webhook_id, webhook_deliveries.position, attempts
"""
DELIVERED: Final = """
DELETE FROM webhook_deliveries d USING unnest(%s::bigint[], %s::bigint[]) AS v (webhook_id, position)
WHERE d.webhook_id = v.webhook_id AND d.position = v.position AND d.claimed_by = %s
"""
# Without seconds until the next attempt there is none: it is dead.
FAILED: Final = """
UPDATE webhook_deliveries d
SET attempts = attempts + 1, error = v.error, claimed_by = NULL,
    next_at = now() + interval '1 second' * coalesce(v.seconds, 0),
    dead_at = CASE WHEN v.seconds IS NULL THEN now() END
FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::float8[]) AS v (webhook_id, position, error, seconds)
WHERE d.webhook_id = v.webhook_id AND d.position = v.position AND d.claimed_by = %s
"""
LET_GO: Final = """
UPDATE webhook_deliveries d SET claimed_by = NULL
FROM unnest(%s::bigint[], %s::bigint[]) AS v (webhook_id, position)
WHERE d.webhook_id = v.webhook_id AND d.position = v.position AND d.claimed_by = %s
"""
FORGET_DELETED: Final = """
DELETE FROM webhook_deliveries d USING webhooks w
WHERE w.webhook_id = d.webhook_id AND (w.deleted OR d.position <= w.since)
"""
GIVE_UP: Final = """
UPDATE webhook_deliveries SET dead_at = now(), error = coalesce(error, 'never attempted'), claimed_by = NULL
WHERE dead_at IS NULL AND made_at < now() - interval '30 days'
"""
FORGET_DEAD: Final = "DELETE FROM webhook_deliveries WHERE dead_at < now() - interval '30 days'"


class Claimed(NamedTuple):
    """A delivery in hand, and how often it was attempted before."""

    webhook_id: int
    position: int
    attempts: int


class Failure(NamedTuple):
    """What came of an attempt, in a word or two, and the seconds until the next; None when it was the last."""

    claimed: Claimed
    error: str
    seconds: float | None


class WebhookClaims:
    """The claims of one session. Every method raises psycopg's OperationalError."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._session = randbelow(HIGHEST) + 1
        connection.execute(BEGIN, (SESSIONS, self._session))

    def due(self) -> list[int]:
        """The webhooks that have deliveries to attempt now that nobody has in hand."""
        return [number for (number,) in self._connection.execute(DUE, (self._live(),), prepare=True)]

    def take(self, room: Mapping[int, int]) -> list[Claimed]:
        """Claim what is due first, for each webhook at most as much as there is room."""
        if not room:
            return []
        given = (self._session, list(room), list(room.values()), self._live())
        return [Claimed(*row) for row in self._connection.execute(CLAIM, given, prepare=True)]

    def delivered(self, claimed: Sequence[Claimed]) -> None:
        """These arrived."""
        if claimed:
            self._connection.execute(DELIVERED, (*_names(claimed), self._session), prepare=True)

    def failed(self, failures: Sequence[Failure]) -> None:
        """These did not."""
        if failures:
            errors = [failure.error for failure in failures]
            seconds = [failure.seconds for failure in failures]
            names = _names([failure.claimed for failure in failures])
            self._connection.execute(FAILED, (*names, errors, seconds, self._session), prepare=True)

    def let_go(self, claimed: Sequence[Claimed]) -> None:
        """These were not attempted."""
        if claimed:
            self._connection.execute(LET_GO, (*_names(claimed), self._session), prepare=True)

    def tidy(self) -> None:
        """Forget what was for webhooks that are gone; give up after 30 days, and forget 30 days after that."""
        for statement in (FORGET_DELETED, GIVE_UP, FORGET_DEAD):
            self._connection.execute(statement)

    def _live(self) -> list[int]:
        row = self._connection.execute(LIVE, (SESSIONS,), prepare=True).fetchone()
        return list(row[0] or ()) if row else []


def _names(claimed: Iterable[Claimed]) -> tuple[list[int], list[int]]:
    return [each.webhook_id for each in claimed], [each.position for each in claimed]
