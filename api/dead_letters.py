"""What was given up, for operators to look at, try again, or drop: never silently lost, and never anybody's data.

Deliveries to webhooks, SES events whose message never came, and read models that stand still at an event. An event of
the last kind cannot be dropped: a read model without it would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, LiteralString
from uuid import UUID

import msgspec
import psycopg

from domain.store.log import Store
from domain.store.waiting_feedback import WaitingFeedback
from projections import checkpoint

Connection = psycopg.Connection[Any]
Kind = Literal["webhook", "feedback", "projection"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
LAST: Final = 253_402_300_799_999_999
"""Microseconds to the end of the calendar: a cursor before everything."""

CURSOR: Final = re.compile(r"([0-9]{1,18})~([-a-z0-9_]{1,100})")
WEBHOOK: Final = re.compile(r"webhook-([0-9]{1,15})-([0-9]{1,15})")
FEEDBACK: Final = re.compile(r"feedback-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
PROJECTION: Final = re.compile(r"projection-([a-z_]{1,63})-([0-9]{1,4})")

SELECT: LiteralString = """
SELECT id, kind, given_up_at, since, attempts, error, client_id, webhook_id, position, subject FROM (
    SELECT 'webhook-' || d.webhook_id || '-' || d.position AS id, 'webhook' AS kind, d.dead_at AS given_up_at,
        d.made_at AS since, d.attempts, d.error, w.client_id, d.webhook_id, d.position, NULL AS subject
    FROM webhook_deliveries d LEFT JOIN webhooks w USING (webhook_id)
    WHERE d.dead_at IS NOT NULL
    UNION ALL
    SELECT 'feedback-' || event_id, 'feedback', given_up_at, received_at, looks, nullif(error, ''),
        NULL, NULL, NULL, nullif(kind, '')
    FROM waiting_feedback
    WHERE given_up_at IS NOT NULL
    UNION ALL
    SELECT 'projection-' || projection || '-' || partition, 'projection', updated_at, updated_at, 1, parked_error,
        NULL, NULL, parked_position, projection
    FROM checkpoints
    WHERE parked_position IS NOT NULL) AS dead
WHERE (%(kind)s = '' OR kind = %(kind)s) AND (given_up_at, id) < (%(at)s, %(id)s)
ORDER BY given_up_at DESC, id DESC LIMIT %(limit)s
"""
RETRY: LiteralString = """
UPDATE webhook_deliveries SET dead_at = NULL, made_at = now(), next_at = now(), attempts = 0
WHERE webhook_id = %s AND position = %s AND dead_at IS NOT NULL
"""
DROP: LiteralString = "DELETE FROM webhook_deliveries WHERE webhook_id = %s AND position = %s AND dead_at IS NOT NULL"
PARKED: LiteralString = """
SELECT FROM checkpoints WHERE projection = %s AND partition = %s AND parked_position IS NOT NULL
"""


class DeadLetter(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was given up. ``since`` is when it was first to be done, ``error`` the kind of the last failure.

    A webhook's names the ``client_id``, the ``webhook_id`` and the ``position`` of the event; feedback's has the kind
    of SES event as ``subject``; a projection's has its name there, and the ``position`` at which it stands.
    """

    id: str
    kind: Kind
    given_up_at: datetime
    since: datetime
    attempts: int
    error: str | None
    client_id: int | None
    webhook_id: int | None
    position: int | None
    subject: str | None


class NotDroppableError(Exception):
    """A read model's event cannot be passed over."""


def listed(connection: Connection, *, kind: str, limit: int, cursor: str) -> tuple[list[DeadLetter], str | None]:
    """A page, those given up last first, and the cursor of the next one.

    Raises ValueError for a cursor that is none, psycopg's OperationalError.
    """
    match = CURSOR.fullmatch(cursor or f"{LAST}~z")
    if match is None or int(match[1]) > LAST:
        raise ValueError(cursor)
    at = EPOCH + timedelta(microseconds=int(match[1]))
    asked = {"kind": kind, "at": at, "id": match[2], "limit": limit + 1}
    rows = connection.execute(SELECT, asked).fetchall()
    names = DeadLetter.__struct_fields__
    page = [DeadLetter(**dict(zip(names, row, strict=True))) for row in rows[:limit]]
    return page, cursor_of(page[-1]) if len(rows) > limit else None


def cursor_of(letter: DeadLetter) -> str:
    """The place behind it."""
    return f"{(letter.given_up_at - EPOCH) // timedelta(microseconds=1)}~{letter.id}"


def retry(connection: Connection, store: Store, name: str) -> bool:
    """Try again, from the first attempt on; False when there is no such dead letter.

    Raises psycopg's and the library's OperationalError.
    """

    def unparked(projection: str, partition: str) -> int:
        found = connection.execute(PARKED, (projection, int(partition))).fetchone() is not None
        return checkpoint.unpark(connection, projection) if found else 0

    return _done(connection, name, RETRY, WaitingFeedback(store).retry, unparked)


def drop(connection: Connection, store: Store, name: str) -> bool:
    """Forget it; False when there is no such dead letter.

    Raises NotDroppableError for a read model's, and what :func:`retry` raises.
    """

    def refused(projection: str, partition: str) -> int:
        if connection.execute(PARKED, (projection, int(partition))).fetchone() is not None:
            raise NotDroppableError
        return 0

    return _done(connection, name, DROP, WaitingFeedback(store).drop, refused)


def _done(
    connection: Connection,
    name: str,
    statement: LiteralString,
    feedback: Callable[[list[UUID]], int],
    projection: Callable[[str, str], int],
) -> bool:
    if match := WEBHOOK.fullmatch(name):
        return connection.execute(statement, (int(match[1]), int(match[2]))).rowcount > 0
    if match := FEEDBACK.fullmatch(name):
        return feedback([UUID(match[1])]) > 0
    if match := PROJECTION.fullmatch(name):
        return projection(match[1], match[2]) > 0
    return False
