"""Which sender has which mail in hand. A sender that dies lets go of its claims by the end of its session."""

from __future__ import annotations

from secrets import randbelow
from typing import NamedTuple
from uuid import UUID

from consumers.session import Connection

TRANSACTIONAL = 0
"""What stands in place of a campaign for transactional mail."""

# Claims of sessions that are no more are free: an advisory lock of the lane's class tells which sessions live.
TRANSACTIONAL_SENDERS = 721_105
CAMPAIGN_SENDERS = 721_106
BEGIN = "SELECT pg_advisory_lock(%s, %s)"
CLAIM = """
UPDATE outbox SET claimed_by = %s FROM (
    SELECT stream FROM outbox
    WHERE campaign_id = %s AND (claimed_by IS NULL OR claimed_by <> ALL (ARRAY(
        SELECT objid::integer FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted)))
    ORDER BY position LIMIT %s FOR UPDATE SKIP LOCKED) AS free
WHERE outbox.stream = free.stream
RETURNING outbox.stream, outbox.contact_id
"""
LET_GO = "UPDATE outbox SET claimed_by = NULL WHERE stream = ANY(%s) AND claimed_by = %s"
LANES = """
WITH RECURSIVE lanes AS (
    (SELECT campaign_id FROM outbox WHERE campaign_id > 0 ORDER BY campaign_id LIMIT 1)
    UNION ALL
    SELECT (SELECT o.campaign_id FROM outbox o WHERE o.campaign_id > l.campaign_id ORDER BY o.campaign_id LIMIT 1)
    FROM lanes l WHERE l.campaign_id IS NOT NULL)
SELECT campaign_id FROM lanes WHERE campaign_id IS NOT NULL
"""
COUNT_LIVE = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = %s AND granted"
HIGHEST = 2**31 - 1


class Claimed(NamedTuple):
    """A mail in hand: the message's stream and its contact."""

    stream: UUID
    contact_id: int


class Claims:
    """The claims of one session."""

    def __init__(self, connection: Connection, senders: int) -> None:
        """``senders`` is the class of the lane's sessions."""
        self._connection = connection
        self._senders = senders
        self._session = randbelow(HIGHEST) + 1
        connection.execute(BEGIN, (senders, self._session))

    def take(self, lane: int, limit: int) -> list[Claimed]:
        """Claim the oldest free mail of a lane, at most so much."""
        rows = self._connection.execute(CLAIM, (self._session, lane, self._senders, limit), prepare=True).fetchall()
        return [Claimed(*row) for row in rows]

    def let_go(self, streams: list[UUID]) -> None:
        """Free what is still to be sent, by whoever comes next."""
        if streams:
            self._connection.execute(LET_GO, (streams, self._session), prepare=True)

    def campaigns(self) -> list[int]:
        """The campaigns that have mail waiting, in hand or not."""
        return [campaign_id for (campaign_id,) in self._connection.execute(LANES, prepare=True)]

    def senders(self) -> int:
        """How many sessions send in this lane; this one is among them."""
        row = self._connection.execute(COUNT_LIVE, (self._senders,), prepare=True).fetchone()
        return int(row[0]) if row else 1
