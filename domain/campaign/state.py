"""What a campaign is at a moment."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from domain.campaign.events import CampaignContent

Status = Literal["draft", "queued", "snapshotting", "sending", "paused", "sent", "cancelled", "failed"]
Phase = Literal["draft", "queued", "snapshotting", "sending", "sent", "cancelled", "failed"]


class Campaign(msgspec.Struct, frozen=True):
    """A campaign, or without ``content`` none yet. A pause holds back sending, not the snapshot.

    ``position`` is that of its snapshot. ``recipient_count`` and ``skipped_count`` are None until it is taken.
    """

    phase: Phase = "draft"
    paused: bool = False
    organization_id: int = 0
    client_id: int = 0
    audience_id: int = 0
    external_key: str = ""
    content: CampaignContent | None = None
    sender_id: str = ""
    sender: str = ""
    links: tuple[str, ...] = ()
    position: int | None = None
    recipient_count: int | None = None
    skipped_count: int | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None
    queued_at: datetime | None = None
    finished_at: datetime | None = None
    error: str = ""

    @property
    def status(self) -> Status:
        """Where it stands, in the contract's words."""
        return "paused" if self.paused else self.phase
