"""SES events whose message the log does not know yet: kept sealed, found when it does, given up after days.

An event that names none of our messages waits too: an operator sees by it that mail is sent past the service. Nothing
personal is kept of any: whom it names is hashed, and where a click led is left out, for nobody can say whose it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

import msgspec
from cryptography.exceptions import InvalidTag
from msgspec.structs import replace

from domain import contact
from domain.mail_event import MailEvent
from domain.store import arrays
from domain.store.keyring import Keyring
from domain.store.log import Store

KEEP = """
INSERT INTO waiting_feedback (event_id, stream, ses_message_id, kind, named, sealed) VALUES (%b, %b, %t, %t, %b, %b)
ON CONFLICT DO NOTHING
"""
DUE = """
SELECT w.event_id, w.sealed, w.named, coalesce(tagged.stream, sent.stream)
FROM (SELECT * FROM waiting_feedback WHERE given_up_at IS NULL AND look_at <= now() ORDER BY look_at LIMIT %b) w
LEFT JOIN LATERAL (SELECT originator_id AS stream FROM log WHERE originator_id = w.stream LIMIT 1) tagged ON true
LEFT JOIN LATERAL (
    SELECT originator_id AS stream FROM log
    WHERE topic = 'message.sent@1' AND ses_name(state) = w.ses_message_id AND w.ses_message_id <> '' LIMIT 1
) sent ON true
"""
DEFER = """
UPDATE waiting_feedback w
SET looks = looks + 1, look_at = now() + interval '1 second' * least(2 ^ least(looks, 6), 60), error = d.error
FROM unnest(%b, %b) AS d (name, error) WHERE w.event_id = d.name
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
RETRY = """
UPDATE waiting_feedback SET given_up_at = NULL, received_at = now(), look_at = now(), looks = 0, error = ''
WHERE given_up_at IS NOT NULL AND event_id = ANY(%b)
"""
DROP = "DELETE FROM waiting_feedback WHERE given_up_at IS NOT NULL AND event_id = ANY(%b)"

ENCODER = msgspec.json.Encoder()
DECODER = msgspec.json.Decoder(MailEvent)


class Waiting(NamedTuple):
    """An event that waited, under the name that :meth:`WaitingFeedback.forget` takes.

    ``named`` are the hashes of whom it names. ``event`` has the stream of its message, and is None without a message;
    ``error`` says why an event cannot be read.
    """

    name: UUID
    event: MailEvent | None
    named: tuple[UUID, ...] = ()
    error: str = ""


class WaitingFeedback:
    """The events that wait. Every method raises the library's OperationalError when Postgres is out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def keep(self, events: Iterable[MailEvent]) -> None:
        """Keep events, each notification once."""
        keyring = self._store.keyring
        rows = [
            (
                keyring.digest("ses event", event.event_id),
                event.stream,
                event.ses_message_id,
                event.kind,
                arrays.uuids(named(keyring, event)),
                keyring.seal(ENCODER.encode(replace(event, recipients=(), url=""))),
            )
            for event in events
        ]
        with self._store.recorder.datastore.get_connection() as connection, connection.cursor() as cursor:
            cursor.executemany(KEEP, rows)

    def due(self, limit: int) -> list[Waiting]:
        """The events that are to be looked at now, those first that have waited for it the longest."""
        with self._store.recorder.datastore.get_connection() as connection:
            rows = self._store.recorder.cursor(connection).execute(DUE, (limit,), prepare=True).fetchall()
        return [self._opened(*row) for row in rows]

    def _opened(self, name: UUID, sealed: bytes, hashes: list[UUID], stream: UUID | None) -> Waiting:
        if stream is None:
            return Waiting(name, None)
        try:
            event = DECODER.decode(self._store.keyring.unseal(sealed))
        except (InvalidTag, ValueError) as error:
            return Waiting(name, None, error=type(error).__name__)
        return Waiting(name, replace(event, stream=stream), tuple(hashes))

    def defer(self, errors: Mapping[UUID, str]) -> None:
        """Look at events again later, each time twice as late up to a minute: they must not stand before others.

        The kind of error is empty where there is no message yet.
        """
        with self._store.recorder.datastore.get_connection() as connection:
            connection.execute(DEFER, (arrays.uuids(errors), arrays.texts(errors.values())), prepare=True)

    def forget(self, names: Sequence[UUID]) -> None:
        """Delete events that were taken in."""
        self._change(FORGET, names)

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

    def retry(self, names: Sequence[UUID]) -> int:
        """Let events that were given up wait for 4 days more; gives how many there were."""
        return self._change(RETRY, names)

    def drop(self, names: Sequence[UUID]) -> int:
        """Delete events that were given up; gives how many there were."""
        return self._change(DROP, names)

    def _change(self, statement: str, names: Sequence[UUID]) -> int:
        with self._store.recorder.datastore.get_connection() as connection:
            return connection.execute(statement, (arrays.uuids(names),), prepare=True).rowcount


def named(keyring: Keyring, event: MailEvent) -> tuple[UUID, ...]:
    """Whom an event names, as the hashes under which ``identities`` has contacts; a garbled address is nobody's."""
    return tuple(keyring.digest(contact.decider.name, address) for address in event.recipients)
