"""What a campaign can be asked. All but ``SaveCampaign`` raise Rejected ``not_found`` on ``external_key``."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.campaign.events import CampaignContent


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """When, in UTC."""

    at: datetime


class SaveCampaign(Command, frozen=True, kw_only=True):
    """Begin or revise a draft; quiet when it says the same already.

    Raises Rejected: ``audience_mismatch`` on ``audience``, ``not_editable`` on ``status``, what ``check_content``
    refuses, ``required``, ``invalid`` or ``too_long`` on ``external_key``.
    """

    organization_id: int
    client_id: int
    audience_id: int
    external_key: str
    content: CampaignContent


class QueueCampaign(Command, frozen=True, kw_only=True):
    """Send it, from the sender that was chosen: its id and address.

    Quiet when it was queued before. Raises Rejected ``not_queueable`` on ``status`` when it was cancelled or failed.
    """

    sender_id: str
    sender: str


class QueueWhenDue(Command, frozen=True, kw_only=True):
    """Send it if its time has come; quiet otherwise. Without a sender it fails."""

    sender_id: str = ""
    sender: str = ""


class StartSnapshot(Command, frozen=True, kw_only=True):
    """Begin the snapshot or go on with it. Raises Rejected ``not_snapshotting`` on ``status``."""

    position: int


class FinishSnapshot(Command, frozen=True, kw_only=True):
    """Every intended contact has its message. Raises Rejected ``not_snapshotting`` on ``status``."""

    recipient_count: int
    skipped_count: int


class PauseCampaign(Command, frozen=True, kw_only=True):
    """Hold sending back. Raises Rejected ``not_pausable`` on ``status``."""


class ResumeCampaign(Command, frozen=True, kw_only=True):
    """Go on. Raises Rejected ``not_resumable`` on ``status``."""


class CancelCampaign(Command, frozen=True, kw_only=True):
    """Send nothing more. Raises Rejected ``not_cancellable`` on ``status`` when it was sent or failed."""


class FinishCampaign(Command, frozen=True, kw_only=True):
    """Every message is settled. Raises Rejected ``not_sending`` on ``status``."""


class FailCampaign(Command, frozen=True, kw_only=True):
    """It cannot be sent. Raises Rejected ``not_sending`` on ``status`` when it is over."""

    code: str
