"""Every send to a long recipient list with its counts so far, for the consumer that carries it out and for analysts."""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import list_send
from domain.decider import Event
from domain.list_send import ListSendFinished, ListSendProgressed, ListSendRequested
from domain.store.recorded import Recorded
from projections.projection import Projection
from projections.single_row import number, row_per_stream

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS list_sends (
    send_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    list_key text NOT NULL,
    template_key text NOT NULL,
    status text NOT NULL, -- running or finished
    total bigint NOT NULL, -- members when it was requested
    enqueued bigint NOT NULL,
    skipped bigint NOT NULL,
    replayed bigint NOT NULL, -- members that an earlier send under the same key had written to
    failed bigint NOT NULL, -- members without a message
    requested_at timestamptz NOT NULL,
    finished_at timestamptz
);
"""
INDEXES: LiteralString = """
CREATE INDEX IF NOT EXISTS list_sends_running ON list_sends (send_id) WHERE status = 'running';
CREATE INDEX IF NOT EXISTS list_sends_client ON list_sends (client_id, send_id);
"""


class ListSendRow(msgspec.Struct, frozen=True):
    """What the table's columns say."""

    send_id: int
    organization_id: int
    client_id: int
    list_key: str
    template_key: str
    status: str
    total: int
    enqueued: int
    skipped: int
    replayed: int
    failed: int
    requested_at: datetime
    finished_at: datetime | None = None


def evolve(row: ListSendRow | None, recorded: Recorded, event: Event) -> ListSendRow | None:
    """The send after the event."""
    if isinstance(event, ListSendRequested):
        scope = (number(recorded), event.organization_id, event.client_id, event.list_key, event.template_key)
        return ListSendRow(*scope, "running", event.total, 0, 0, 0, 0, event.at)
    if row is None:
        return None
    if isinstance(event, ListSendProgressed):
        more = msgspec.structs.asdict(event.counts)
        return replace(row, **{name: getattr(row, name) + count for name, count in more.items()})
    if isinstance(event, ListSendFinished):
        return replace(row, status="finished", finished_at=event.at)
    return row


PROJECTION: Final = Projection(
    name="list_sends",
    version=1,
    events=(ListSendRequested, ListSendProgressed, ListSendFinished),
    ddl=DDL,
    indexes=INDEXES,
    fold=row_per_stream(table="list_sends", row=ListSendRow, key="send_id", kind=list_send.decider.kind, evolve=evolve),
)
