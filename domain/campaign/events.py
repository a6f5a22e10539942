"""What can happen to a campaign: one mail from a client to many contacts of an audience."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from domain.decider import Event, event


class CampaignContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client says of a campaign. Tags and category are slugs.

    ``from_email`` is the id of a sender, empty for the client's default. The draft queues itself at ``scheduled_at``.
    """

    subject: str
    preview_text: str = ""
    html_body: str = ""
    text_body: str = ""
    from_email: str = ""
    include_tags: tuple[str, ...] = ()
    exclude_tags: tuple[str, ...] = ()
    category_tag: str = ""
    recipient_list_key: str = ""
    scheduled_at: datetime | None = None
    metadata: dict[str, Any] = {}


@event("campaign.drafted")
class CampaignDrafted(Event, frozen=True):
    """A client began a campaign. Its external key identifies it within the client for good."""

    organization_id: int
    client_id: int
    audience_id: int
    external_key: str
    content: CampaignContent


@event("campaign.revised")
class CampaignRevised(Event, frozen=True):
    """The draft says this from now on."""

    content: CampaignContent


@event("campaign.queued")
class CampaignQueued(Event, frozen=True):
    """The campaign is to be sent, to those whom it means at this event's own position in the log. It is frozen.

    ``sender`` is the address that ``sender_id`` had, ``links`` the pages that the mail leads to, by their number.
    """

    sender_id: str
    sender: str
    links: tuple[str, ...] = ()


@event("campaign.snapshot_started")
class CampaignSnapshotStarted(Event, frozen=True):
    """Its messages are being requested, to the contacts as of ``position``, that of ``campaign.queued``."""

    position: int


@event("campaign.snapshot_taken")
class CampaignSnapshotTaken(Event, frozen=True):
    """Every contact that it means has a message: ``recipient_count`` are requested, the others skipped."""

    recipient_count: int
    skipped_count: int


@event("campaign.paused")
class CampaignPaused(Event, frozen=True):
    """Nothing more is sent for now."""


@event("campaign.resumed")
class CampaignResumed(Event, frozen=True):
    """Sending goes on."""


@event("campaign.cancelled")
class CampaignCancelled(Event, frozen=True):
    """Nothing more is sent, ever."""


@event("campaign.sent")
class CampaignSent(Event, frozen=True):
    """Every message is settled as far as the sender can."""


@event("campaign.failed")
class CampaignFailed(Event, frozen=True):
    """The campaign cannot be sent. ``code`` says why."""

    code: str
