"""The campaign: one mail from a client to contacts of an audience. Its natural key is ``<client>/<external key>``."""

from __future__ import annotations

from typing import Final

from domain.campaign.commands import (
    CancelCampaign,
    FailCampaign,
    FinishCampaign,
    FinishSnapshot,
    PauseCampaign,
    QueueCampaign,
    QueueWhenDue,
    ResumeCampaign,
    SaveCampaign,
    StartSnapshot,
)
from domain.campaign.decide import check_content, decide
from domain.campaign.events import (
    CampaignCancelled,
    CampaignContent,
    CampaignDrafted,
    CampaignFailed,
    CampaignPaused,
    CampaignQueued,
    CampaignResumed,
    CampaignRevised,
    CampaignSent,
    CampaignSnapshotStarted,
    CampaignSnapshotTaken,
)
from domain.campaign.evolve import evolve
from domain.campaign.state import Campaign, Status
from domain.decider import Decider

__all__ = [
    "Campaign",
    "CampaignCancelled",
    "CampaignContent",
    "CampaignDrafted",
    "CampaignFailed",
    "CampaignPaused",
    "CampaignQueued",
    "CampaignResumed",
    "CampaignRevised",
    "CampaignSent",
    "CampaignSnapshotStarted",
    "CampaignSnapshotTaken",
    "CancelCampaign",
    "FailCampaign",
    "FinishCampaign",
    "FinishSnapshot",
    "PauseCampaign",
    "QueueCampaign",
    "QueueWhenDue",
    "ResumeCampaign",
    "SaveCampaign",
    "StartSnapshot",
    "Status",
    "check_content",
    "decide",
    "decider",
    "evolve",
    "key_of",
]

decider: Final = Decider(kind=7, name="campaign", initial=Campaign(), decide=decide, evolve=evolve)


def key_of(client_id: int, external_key: str) -> str:
    """Name the campaign for the store."""
    return f"{client_id}/{external_key}"
