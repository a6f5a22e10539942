"""SES events whose message the log does not know yet: kept sealed, found when it does, given up after days.

An event that names none of our messages waits too: an operator sees by it that mail is sent past the service, or that
a configuration set loses its tags.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec

from domain.mail_event import MailEvent
from domain.store import arrays
from domain.store.log import Store

KEEP = """
INSERT INTO waiting_feedback (event_id, stream, sealed) VALUES (%b, %b, %b) ON CONFLICT DO NOTHING
"""
MATCHED = """
SELECT event_id, sealed FROM waiting_feedback
WHERE given_up_at IS NULL AND EXISTS (SELECT FROM log WHERE originator_id = waiting_feedback.stream)
ORDER BY received_at LIMIT %b
"""
FORGET = "DELETE FROM waiting_feedback WHERE event_id = ANY(%b)"
GIVE_UP = """
UPDATE waiting_feedback SET given_up_at = now()
WHERE given_up_at IS NULL AND received_at < now() - interval '4 days'
"""
EXPIRE = "DELETE FROM waiting_feedback WHERE received_at < now() - interval '30 days'"
COUNT = """
SELECT count(*) FILTER (WHERE given_up_at IS NULL), count(*) FILTER (WHERE given_up_at IS NOT NULL)
FROM waiting_feedback
"""

ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(MailEvent)


class Waiting(NamedTuple):
    """An event that waited, under the name that :meth:`WaitingFeedback.forget` takes."""

    name: UUID
    event: MailEvent


class WaitingFeedback:
    """The events that wait. Every method raises the library's OperationalError when Postgres is out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, events: Iterable[MailEvent]) -> None:
        """Keep events, each notification once."""
        keyring = self._store.keyring
        rows = [
            (keyring.digest("ses event", event.event_id), event.stream, keyring.seal(ENCODER.encode(event)))
            for event in events
        ]
        with self._store.recorder.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.executemany(KEEP, rows)

    def matched(self, limit: int) -> list[Waiting]:
        """The oldest events whose message is in the log by now."""
        with self._store.recorder.datastore.get_connection() as connection:
            rows = self._store.recorder.cursor(connection).execute(MATCHED, (limit,), prepare=True).fetchall()
        return [Waiting(name, DECODER.decode(self._store.keyring.unseal(sealed))) for name, sealed in rows]

    def forget(self, names: Sequence[UUID]) -> None:
        """Delete events that were taken in."""
        with self._store.recorder.datastore.get_connection() as connection:
            connection.execute(FORGET, (arrays.uuids(names),), prepare=True)

    def expire(self) -> None:
        """Give up on events that waited for 4 days, and delete those that came 30 days ago."""
        with self._store.recorder.datastore.get_connection() as connection:
            connection.execute(GIVE_UP)
            connection.execute(EXPIRE)

    def count(self) -> tuple[int, int]:
        """How many wait, and how many were given up."""
        with self._store.recorder.datastore.get_connection() as connection:
            row = self._store.recorder.cursor(connection).execute(COUNT).fetchone()
        return (0, 0) if row is None else (row[0], row[1])
