"""The campaigns of every client: what the planner looks for, and what histories, operators and analysts show."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import campaign
from domain.campaign import events as e
from domain.decider import Event
from domain.store.recorded import Recorded
from projections.projection import Projection
from projections.single_row import number, row_per_stream

DDL: LiteralString = """
-- One row for each campaign. The bodies of its mail stay in the log.
CREATE TABLE IF NOT EXISTS campaigns (
    campaign_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    audience_id bigint NOT NULL,
    external_key text NOT NULL,
    subject text NOT NULL,
    preview_text text NOT NULL,
    from_email text NOT NULL, -- id of the sender that it asks for; '' for the client's default
    include_tags text[] NOT NULL,
    exclude_tags text[] NOT NULL,
    category_tag text NOT NULL,
    recipient_list_key text NOT NULL,
    scheduled_at timestamptz, -- when a draft queues itself
    status text NOT NULL, -- draft, queued, snapshotting, sending, paused, sent, cancelled or failed
    phase text NOT NULL, -- the same, whether paused or not
    paused boolean NOT NULL,
    links text[] NOT NULL, -- the pages that its mail leads to, by number; known once it is queued
    snapshot_position bigint, -- of the log: who was meant then gets it
    snapshot_recipients bigint, -- how many were meant and not skipped then
    snapshot_skipped bigint,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    queued_at timestamptz,
    finished_at timestamptz, -- sent, cancelled or failed
    last_error text NOT NULL -- a code
);
"""
INDEXES: LiteralString = """
CREATE UNIQUE INDEX IF NOT EXISTS campaigns_external_key ON campaigns (client_id, external_key);
-- The planner looks for these once a second, however many campaigns are over.
CREATE INDEX IF NOT EXISTS campaigns_under_way ON campaigns (status, scheduled_at)
WHERE status IN ('draft', 'queued', 'snapshotting', 'sending', 'paused');
"""


class CampaignRow(msgspec.Struct, frozen=True):
    """What the table's columns say."""

    campaign_id: int
    organization_id: int
    client_id: int
    audience_id: int
    external_key: str
    subject: str
    preview_text: str
    from_email: str
    include_tags: list[str]
    exclude_tags: list[str]
    category_tag: str
    recipient_list_key: str
    scheduled_at: datetime | None
    created_at: datetime
    updated_at: datetime
    status: str = "draft"
    phase: str = "draft"
    paused: bool = False
    links: list[str] = []
    snapshot_position: int | None = None
    snapshot_recipients: int | None = None
    snapshot_skipped: int | None = None
    queued_at: datetime | None = None
    finished_at: datetime | None = None
    last_error: str = ""


def evolve(row: CampaignRow | None, recorded: Recorded, event: Event) -> CampaignRow | None:
    """The campaign after the event."""
    if isinstance(event, e.CampaignDrafted):
        return CampaignRow(
            campaign_id=number(recorded),
            organization_id=event.organization_id,
            client_id=event.client_id,
            audience_id=event.audience_id,
            external_key=event.external_key,
            created_at=event.at,
            updated_at=event.at,
            **_said(event.content),
        )
    if row is None:
        return None
    after = replace(row, updated_at=event.at, **_changed(event))
    return replace(after, status="paused" if after.paused else after.phase)


def _said(content: e.CampaignContent) -> dict[str, Any]:
    return {
        "subject": content.subject,
        "preview_text": content.preview_text,
        "from_email": content.from_email,
        "include_tags": list(content.include_tags),
        "exclude_tags": list(content.exclude_tags),
        "category_tag": content.category_tag,
        "recipient_list_key": content.recipient_list_key,
        "scheduled_at": content.scheduled_at,
    }


def _changed(event: Event) -> dict[str, Any]:
    match event:
        case e.CampaignRevised(content=content):
            return _said(content)
        case e.CampaignQueued(at=at, links=links):
            return {"phase": "queued", "queued_at": at, "links": list(links)}
        case e.CampaignSnapshotStarted(position=position):
            return {"phase": "snapshotting", "snapshot_position": position}
        case e.CampaignSnapshotTaken(recipient_count=recipients, skipped_count=skipped):
            return {"phase": "sending", "snapshot_recipients": recipients, "snapshot_skipped": skipped}
        case e.CampaignPaused():
            return {"paused": True}
        case e.CampaignResumed():
            return {"paused": False}
    return _over(event)


def _over(event: Event) -> dict[str, Any]:
    over: dict[str, Any] = {"paused": False, "finished_at": event.at}
    match event:
        case e.CampaignSent():
            return {**over, "phase": "sent"}
        case e.CampaignCancelled():
            return {**over, "phase": "cancelled"}
        case e.CampaignFailed(code=code):
            return {**over, "phase": "failed", "last_error": code}
    return {}


PROJECTION: Final = Projection(
    name="campaigns",
    version=1,
    events=(
        e.CampaignDrafted,
        e.CampaignRevised,
        e.CampaignQueued,
        e.CampaignSnapshotStarted,
        e.CampaignSnapshotTaken,
        e.CampaignPaused,
        e.CampaignResumed,
        e.CampaignSent,
        e.CampaignCancelled,
        e.CampaignFailed,
    ),
    ddl=DDL,
    indexes=INDEXES,
    fold=row_per_stream(
        table="campaigns", row=CampaignRow, key="campaign_id", kind=campaign.decider.kind, evolve=evolve
    ),
)
