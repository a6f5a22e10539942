"""An event as it stands in the log: the envelope, and the data as stored bytes."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec


class Recorded(msgspec.Struct, frozen=True, array_like=True):
    """One row of the log. The field order is the column order of :data:`COLUMNS`.

    ``position`` counts from 1 without gaps over the whole log, ``version`` from 1 within the stream. ``data`` is JSON
    with personal fields sealed. ``client_id`` names the client whose scope the event belongs to (0: none),
    ``contact_id`` the contact that it concerns (0: none).
    """

    position: int
    stream: UUID
    version: int
    topic: str
    data: bytes
    organization_id: int
    client_id: int
    contact_id: int
    occurred_at: datetime
    correlation_id: UUID
    causation_id: int | None
    source: str

    @property
    def kind(self) -> int:
        """The kind of thing that the stream is, one of the catalog's decider kinds."""
        return self.stream.int >> 96


COLUMNS = (
    "notification_id, originator_id, originator_version, topic, state, organization_id, client_id, contact_id, "
    "occurred_at, correlation_id, causation_id, source"
)

SELECT = f"SELECT {COLUMNS} FROM log "
"""The start of every query that gives :class:`Recorded` rows."""
