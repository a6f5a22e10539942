"""How each fact changes a message. Total: whatever the order, times are the earliest and counts the sums."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from msgspec.structs import replace

from domain.decider import Event
from domain.message import events as e
from domain.message.state import Message, fingerprint


def _earliest(known: datetime | None, at: datetime) -> datetime:
    return at if known is None else min(known, at)


def _requested(state: Message, event: e.MessageRequested) -> Message:
    return replace(
        state,
        status="queued",
        campaign_id=event.campaign_id,
        contact_id=event.contact_id,
        requested=event,
        requested_at=event.at,
    )


def _planned(state: Message, event: e.CampaignMessageRequested) -> Message:
    return replace(
        state, status="queued", campaign_id=event.campaign_id, contact_id=event.contact_id, requested_at=event.at
    )


def _skipped(state: Message, event: e.MessageSkipped) -> Message:
    return replace(state, status="skipped", skip_reason=event.reason, requested_at=state.requested_at or event.at)


def _attempted(state: Message, event: e.MessageAttempted) -> Message:
    first = _earliest(state.attempted_at, event.at)
    return replace(state, status="sending", attempts=state.attempts + 1, attempted_at=first)


def _failed(state: Message, event: e.MessageFailed) -> Message:
    return replace(state, status="failed", last_error=event.code)


def _unconfirmed(state: Message, _: e.MessageUnconfirmed) -> Message:
    return replace(state, status="unconfirmed", last_error="unconfirmed")


def _released(state: Message, event: e.MessageReleased) -> Message:
    return replace(state, status="queued", last_error=event.reason)


def _sent(state: Message, event: e.MessageSent) -> Message:
    sent_at = _earliest(state.sent_at, event.at)
    return replace(state, status="sent", sent_at=sent_at, ses_message_id=event.ses_message_id, last_error="")


def _delivered(state: Message, event: e.MessageDelivered) -> Message:
    return replace(state, delivered_at=_earliest(state.delivered_at, event.at))


def _bounced(state: Message, event: e.MessageBounced) -> Message:
    for_good = "Permanent" in (state.bounce_type, event.bounce_type)
    return replace(
        state,
        bounced_at=_earliest(state.bounced_at, event.at),
        bounce_type="Permanent" if for_good else event.bounce_type,
        last_error=f"bounced_{event.bounce_type.lower()}",
    )


def _complained(state: Message, event: e.MessageComplained) -> Message:
    return replace(state, complained_at=_earliest(state.complained_at, event.at))


def _rejected(state: Message, _: e.MessageRejected) -> Message:
    return replace(state, status="failed", last_error="rejected")


def _rendering_failed(state: Message, _: e.MessageRenderingFailed) -> Message:
    return replace(state, status="failed", last_error="rendering_failed")


def _opened(state: Message, event: e.MessageOpened) -> Message:
    first = _earliest(state.first_opened_at, event.at)
    return replace(state, first_opened_at=first, open_count=state.open_count + 1)


def _clicked(state: Message, event: e.MessageClicked) -> Message:
    first = _earliest(state.first_clicked_at, event.at)
    return replace(state, first_clicked_at=first, click_count=state.click_count + 1)


def _unsubscribed(state: Message, event: e.MessageUnsubscribed) -> Message:
    first = _earliest(state.unsubscribed_at, event.at)
    return replace(state, unsubscribed_at=first, unsubscribed=state.unsubscribed | {event.scope})


def _unchanged(state: Message, _: Event) -> Message:
    return state


_CASES: Final[dict[type[Event], Callable[[Message, Any], Message]]] = {
    e.MessageRequested: _requested,
    e.CampaignMessageRequested: _planned,
    e.MessageSkipped: _skipped,
    e.MessageAttempted: _attempted,
    e.MessageFailed: _failed,
    e.MessageUnconfirmed: _unconfirmed,
    e.MessageReleased: _released,
    e.MessageSent: _sent,
    e.MessageDelivered: _delivered,
    e.MessageDeliveryDelayed: _unchanged,
    e.MessageBounced: _bounced,
    e.MessageComplained: _complained,
    e.MessageCopyDelivered: _unchanged,
    e.MessageCopyBounced: _unchanged,
    e.MessageCopyComplained: _unchanged,
    e.MessageRejected: _rejected,
    e.MessageRenderingFailed: _rendering_failed,
    e.MessageOpened: _opened,
    e.MessageClicked: _clicked,
    e.MessageUnsubscribed: _unsubscribed,
}


def evolve(state: Message, event: Event) -> Message:
    """Take a fact into account. Never raises; an event of another kind of thing changes nothing."""
    case = _CASES.get(type(event))
    if case is None:
        return state
    after = case(state, event)
    if isinstance(event, e.Feedback) and event.event_id:
        return replace(after, seen=after.seen | {fingerprint(event.event_id)})
    return after
