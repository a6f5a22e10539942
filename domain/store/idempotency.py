"""First answers, kept for 24 hours under a client's Idempotency-Key (the IETF draft of that header).

An answer may speak of persons, many at once. It is sealed under a key that is made of the request and kept nowhere: who
does not have the request in every byte, its key and its body, cannot open the answer, whatever other keys are at hand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

from domain.personal import SealingKey

if TYPE_CHECKING:
    from domain.store.order import Accepted, Refused


class Asked(msgspec.Struct, frozen=True):
    """A request whose answer is kept: hashes of its key and of what it asks, and what seals the answer.

    ``contact_id`` is the person whom the answer is about: with its erasure the answer goes. 0: nobody, or several.
    """

    client_id: int
    key: UUID
    request: UUID
    secret: SealingKey
    contact_id: int = 0

    @property
    def name(self) -> tuple[int, UUID]:
        """What the answer is found by."""
        return self.client_id, self.key


class Remember(msgspec.Struct, frozen=True):
    """Ask to keep the answer to an order in the same transaction as its events.

    ``answer`` renders status and body from the outcome.
    """

    asked: Asked
    answer: Callable[[Accepted | Refused], tuple[int, bytes]]


class Remembered(msgspec.Struct, frozen=True):
    """An answer given before. ``request`` tells whether the same thing was asked; else there is no body."""

    request: UUID
    status: int
    body: bytes
    position: int


RECALL = """
SELECT client_id, key, request, status, body, position FROM idempotency
JOIN unnest(%b, %b) AS wanted (client_id, key) USING (client_id, key)
WHERE created_at > now() - interval '24 hours'
"""

REMEMBER = """
INSERT INTO idempotency (client_id, key, request, status, body, position, contact_id)
VALUES (%b, %b, %b, %b, %b, %b, %b)
ON CONFLICT (client_id, key) DO UPDATE
SET request = excluded.request, status = excluded.status, body = excluded.body, position = excluded.position,
    contact_id = excluded.contact_id, created_at = excluded.created_at
WHERE idempotency.created_at <= now() - interval '24 hours'
"""

PURGE = "DELETE FROM idempotency WHERE created_at <= now() - interval '24 hours'"
