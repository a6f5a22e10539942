"""Mail that waits to be sent: what senders share out among themselves. Whether it may be sent is for the ledger to say.

A row comes with the request and goes once the message is settled. Claims are a sender's note in passing; nothing is
decided by them, so that a rebuilt outbox can make no mail go out twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.message.events import (
    CampaignMessageRequested,
    MessageFailed,
    MessageReleased,
    MessageRequested,
    MessageSent,
    MessageSkipped,
    MessageUnconfirmed,
)
from domain.store import arrays
from projections.projection import Connection, Opened, Projection

DDL: LiteralString = """
-- campaign_id 0 is the lane of transactional mail. claimed_by is the session of the sender that has it in hand.
CREATE TABLE IF NOT EXISTS outbox (
    stream uuid PRIMARY KEY,
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    position bigint NOT NULL,
    claimed_by integer
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);
"""
INDEXES: LiteralString = "CREATE INDEX IF NOT EXISTS outbox_lane ON outbox (campaign_id, position);"

DELETE: LiteralString = "DELETE FROM outbox WHERE stream = ANY(%b)"
INSERT: LiteralString = """
INSERT INTO outbox (stream, campaign_id, contact_id, position)
SELECT * FROM unnest(%b, %b, %b, %b) ON CONFLICT DO NOTHING
"""
WAKE: LiteralString = "SELECT pg_notify('datamailer_outbox', '')"
Waiting = MessageRequested | CampaignMessageRequested | MessageReleased
Row = tuple[UUID, int, int, int]


def fold(connection: Connection, events: Sequence[Opened], /) -> None:
    """What a batch leaves waiting comes, what it settles goes: three statements at most."""
    last: dict[UUID, Row | None] = {}
    for recorded, event in events:
        waits = isinstance(event, Waiting)
        campaign_id = 0 if isinstance(event, MessageRequested) else getattr(event, "campaign_id", 0)
        row = (recorded.stream, campaign_id, recorded.contact_id, recorded.position)
        last[recorded.stream] = row if waits else None
    rows = [row for row in last.values() if row is not None]
    arrays.register(connection)
    connection.execute(DELETE, (arrays.uuids(last),), prepare=True)
    if rows:
        streams, campaigns, contacts, positions = zip(*rows, strict=True)
        columns = (arrays.uuids(streams), *map(arrays.bigints, (campaigns, contacts, positions)))
        connection.execute(INSERT, columns, prepare=True)
        connection.execute(WAKE, prepare=True)


PROJECTION: Final = Projection(
    name="outbox",
    version=1,
    events=(
        MessageRequested,
        CampaignMessageRequested,
        MessageReleased,
        MessageSkipped,
        MessageSent,
        MessageFailed,
        MessageUnconfirmed,
    ),
    ddl=DDL,
    indexes=INDEXES,
    fold=fold,
    scratch=("claimed_by",),
    urgent=True,
)
