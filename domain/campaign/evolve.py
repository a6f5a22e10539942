"""How each fact changes a campaign. Total: an event of another kind of thing changes nothing."""

from __future__ import annotations

from msgspec.structs import replace

from domain.campaign import events as e
from domain.campaign.state import Campaign
from domain.decider import Event


def evolve(state: Campaign, event: Event) -> Campaign:
    """Take a fact into account. Never raises."""
    match event:
        case e.CampaignDrafted():
            return Campaign(
                organization_id=event.organization_id,
                client_id=event.client_id,
                audience_id=event.audience_id,
                external_key=event.external_key,
                content=event.content,
                created_at=event.at,
                updated_at=event.at,
            )
        case e.CampaignRevised(at=at, content=content):
            return replace(state, content=content, updated_at=at)
        case e.CampaignPaused(at=at):
            return replace(state, paused=True, updated_at=at)
        case e.CampaignResumed(at=at):
            return replace(state, paused=False, updated_at=at)
        case e.CampaignQueued() | e.CampaignSnapshotStarted() | e.CampaignSnapshotTaken():
            return _advanced(state, event)
        case e.CampaignSent() | e.CampaignCancelled() | e.CampaignFailed():
            return _over(state, event)
    return state


def _advanced(
    state: Campaign, event: e.CampaignQueued | e.CampaignSnapshotStarted | e.CampaignSnapshotTaken
) -> Campaign:
    match event:
        case e.CampaignQueued(at=at, sender_id=sender_id, sender=sender, links=links):
            return replace(
                state, phase="queued", sender_id=sender_id, sender=sender, links=links, queued_at=at, updated_at=at
            )
        case e.CampaignSnapshotStarted(at=at, position=position):
            return replace(state, phase="snapshotting", position=position, updated_at=at)
        case e.CampaignSnapshotTaken(at=at, recipient_count=recipients, skipped_count=skipped):
            return replace(state, phase="sending", recipient_count=recipients, skipped_count=skipped, updated_at=at)


def _over(state: Campaign, event: e.CampaignSent | e.CampaignCancelled | e.CampaignFailed) -> Campaign:
    over = replace(state, paused=False, finished_at=event.at, updated_at=event.at)
    match event:
        case e.CampaignSent():
            return replace(over, phase="sent")
        case e.CampaignCancelled():
            return replace(over, phase="cancelled")
        case e.CampaignFailed(code=code):
            return replace(over, phase="failed", error=code)
