"""Which facts follow from a command to a campaign.

::

    draft --> queued --> snapshotting --> sending --> sent
      |         |             |              |
      '---------+-------------+--------------+--> cancelled, failed

Between ``queued`` and ``sending`` it can be paused and resumed, which changes nothing of this.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain.campaign import commands as c
from domain.campaign import events as e
from domain.campaign.mail import halves
from domain.campaign.state import Campaign
from domain.decider import Event, Rejected
from domain.mailbox import has_control
from domain.rendering import TEXT_LIMIT
from domain.template import subject_problem
from domain.tracking import links_of

KEY_LIMIT: Final = 255
PREVIEW_LIMIT: Final = 255
TAGS_LIMIT: Final = 100
_UNDER_WAY: Final = frozenset({"queued", "snapshotting", "sending"})


def check_content(content: e.CampaignContent) -> None:
    """Refuse what could not be sent.

    Raises Rejected with every wrong field: ``required``, ``invalid`` or ``too_long`` on ``subject``, ``required`` on
    ``body``, ``too_large`` on ``html_body`` and ``text_body``, ``invalid`` or ``too_long`` on ``preview_text``,
    ``too_many`` on ``include_tags`` and ``exclude_tags``.
    """
    wrong = {
        "subject": subject_problem(content.subject),
        "body": "" if content.html_body.strip() or content.text_body.strip() else "required",
        "html_body": "too_large" if len(content.html_body) > TEXT_LIMIT else "",
        "text_body": "too_large" if len(content.text_body) > TEXT_LIMIT else "",
        "preview_text": "too_long" if len(content.preview_text) > PREVIEW_LIMIT else "",
        "include_tags": "too_many" if len(content.include_tags) > TAGS_LIMIT else "",
        "exclude_tags": "too_many" if len(content.exclude_tags) > TAGS_LIMIT else "",
    }
    if has_control(content.preview_text):
        wrong["preview_text"] = "invalid"
    wrong = {field: code for field, code in wrong.items() if code}
    if wrong:
        raise Rejected.of(wrong)


def save(state: Campaign, command: c.SaveCampaign) -> tuple[Event, ...]:
    """Draft or revise."""
    key = command.external_key
    if not key.strip() or has_control(key) or len(key) > KEY_LIMIT:
        raise Rejected("too_long" if len(key) > KEY_LIMIT else "invalid" if key.strip() else "required", "external_key")
    if state.content is not None:
        if state.audience_id != command.audience_id:
            raise Rejected("audience_mismatch", "audience")
        if state.phase != "draft":
            raise Rejected("not_editable", "status")
    check_content(command.content)
    if state.content is not None:
        return () if state.content == command.content else (e.CampaignRevised(at=command.at, content=command.content),)
    drafted = e.CampaignDrafted(
        at=command.at,
        organization_id=command.organization_id,
        client_id=command.client_id,
        audience_id=command.audience_id,
        external_key=key,
        content=command.content,
    )
    return (drafted,)


def queue(state: Campaign, command: c.QueueCampaign | c.QueueWhenDue) -> tuple[Event, ...]:
    """Queue a draft, once."""
    if state.phase in {"cancelled", "failed"}:
        raise Rejected("not_queueable", "status")
    if state.phase != "draft":
        return ()
    links = () if state.content is None else links_of(*halves(state.content))
    queued = e.CampaignQueued(at=command.at, sender_id=command.sender_id, sender=command.sender, links=links)
    return (queued,)


def queue_when_due(state: Campaign, command: c.QueueWhenDue) -> tuple[Event, ...]:
    """Queue a draft whose time has come, or fail it where nobody is there to be told why it cannot go."""
    due = None if state.content is None else state.content.scheduled_at
    if state.phase != "draft" or due is None or due > command.at:
        return ()
    if not command.sender:
        return (e.CampaignFailed(at=command.at, code="sender_not_configured"),)
    return queue(state, command)


def start_snapshot(state: Campaign, command: c.StartSnapshot) -> tuple[Event, ...]:
    """Start, once; whoever goes on after an interruption takes the position from the state."""
    if state.phase == "snapshotting":
        return ()
    if state.phase != "queued":
        raise Rejected("not_snapshotting", "status")
    return (e.CampaignSnapshotStarted(at=command.at, position=command.position),)


def finish_snapshot(state: Campaign, command: c.FinishSnapshot) -> tuple[Event, ...]:
    """Finish, once. A campaign that means nobody is sent with that."""
    if state.phase in {"sending", "sent"}:
        return ()
    if state.phase != "snapshotting":
        raise Rejected("not_snapshotting", "status")
    taken = e.CampaignSnapshotTaken(
        at=command.at, recipient_count=command.recipient_count, skipped_count=command.skipped_count
    )
    return (taken,) if command.recipient_count else (taken, e.CampaignSent(at=command.at))


def pause(state: Campaign, command: c.PauseCampaign) -> tuple[Event, ...]:
    """Hold back what is under way."""
    if state.phase not in _UNDER_WAY:
        raise Rejected("not_pausable", "status")
    return () if state.paused else (e.CampaignPaused(at=command.at),)


def resume(state: Campaign, command: c.ResumeCampaign) -> tuple[Event, ...]:
    """Go on with what is under way."""
    if state.phase not in _UNDER_WAY:
        raise Rejected("not_resumable", "status")
    return (e.CampaignResumed(at=command.at),) if state.paused else ()


def cancel(state: Campaign, command: c.CancelCampaign) -> tuple[Event, ...]:
    """Cancel what is not over."""
    if state.phase == "cancelled":
        return ()
    if state.phase in {"sent", "failed"}:
        raise Rejected("not_cancellable", "status")
    return (e.CampaignCancelled(at=command.at),)


def finish(state: Campaign, command: c.FinishCampaign) -> tuple[Event, ...]:
    """Finish, once. The last message may settle while the campaign is paused."""
    if state.phase == "sent":
        return ()
    if state.phase != "sending":
        raise Rejected("not_sending", "status")
    return (e.CampaignSent(at=command.at),)


def fail(state: Campaign, command: c.FailCampaign) -> tuple[Event, ...]:
    """Fail what is under way, once."""
    if state.phase == "failed":
        return ()
    if state.phase not in _UNDER_WAY:
        raise Rejected("not_sending", "status")
    return (e.CampaignFailed(at=command.at, code=command.code),)


_CASES: Final[dict[type[c.Command], Callable[[Campaign, Any], tuple[Event, ...]]]] = {
    c.SaveCampaign: save,
    c.QueueCampaign: queue,
    c.QueueWhenDue: queue_when_due,
    c.StartSnapshot: start_snapshot,
    c.FinishSnapshot: finish_snapshot,
    c.PauseCampaign: pause,
    c.ResumeCampaign: resume,
    c.CancelCampaign: cancel,
    c.FinishCampaign: finish,
    c.FailCampaign: fail,
}


def decide(state: Campaign, command: c.Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if state.content is None and not isinstance(command, c.SaveCampaign):
        raise Rejected("not_found", "external_key")
    return _CASES[type(command)](state, command)
