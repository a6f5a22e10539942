"""First answers, kept for 24 hours under a client's Idempotency-Key (the IETF draft of that header)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import msgspec

if TYPE_CHECKING:
    from domain.store.order import Accepted, Refused


class Remember(msgspec.Struct, frozen=True):
    """Ask to keep the answer to an order in the same transaction as its events.

    ``request`` is a hash of what was asked; ``answer`` renders status and body from the outcome.
    """

    client_id: int
    key: UUID
    request: UUID
    answer: Callable[[Accepted | Refused], tuple[int, bytes]]


class Remembered(msgspec.Struct, frozen=True):
    """An answer given before. ``request`` tells whether the same thing was asked."""

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
VALUES (%b, %b, %b, %b, %b, %b, 0)
ON CONFLICT (client_id, key) DO UPDATE
SET request = excluded.request, status = excluded.status, body = excluded.body, position = excluded.position,
    contact_id = excluded.contact_id, created_at = excluded.created_at
WHERE idempotency.created_at <= now() - interval '24 hours'
"""

PURGE = "DELETE FROM idempotency WHERE created_at <= now() - interval '24 hours'"
