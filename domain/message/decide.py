"""Which facts follow from a command to a message: the ledger of sending, and what SES and the person tell of it.

::

    (none) --> queued --> sending --> sent           sending: SES is being asked; a crash or no answer leaves it open
                 |  ^       |---> failed <--(SES dropped it)-- sent
                 |  |       |---> unconfirmed --> queued       only where twice is better than never, or released
                 |  '-------'---------'                        released: SES is known not to have it
                 '--> skipped

SES that was asked to send is asked again only when it is known not to have the mail, or when that is wanted. Any
notification of SES that names its id for the mail makes a message ``sent`` that was not known to be, wherever it stood,
and nothing leads back from there to ``queued``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain.decider import Event, Rejected
from domain.message import commands as c
from domain.message import events as e
from domain.message.state import Message, fingerprint
from domain.personal import Personal

ATTEMPTS_LIMIT: Final = 5
"""Attempts after which a mail that is better sent twice than never is an operator's affair: something is broken."""


def request(state: Message, command: c.RequestMessage) -> tuple[Event, ...]:
    """Accept a transactional mail, once, or tell why it will not be sent."""
    if state.status is not None:
        return ()
    requested = e.MessageRequested(
        at=command.at,
        organization_id=command.organization_id,
        client_id=command.client_id,
        contact_id=command.contact_id,
        template_key=command.template_key,
        template_version=command.template_version,
        sender_id=command.sender_id,
        sender=command.sender,
        content=Personal(command.content),
        request=Personal(command.request),
        audience_id=command.audience_id,
        category_tag=command.category_tag,
        campaign_id=command.campaign_id,
        retry_unconfirmed=command.retry_unconfirmed,
    )
    if command.skip_reason is None:
        return (requested,)
    return (requested, e.MessageSkipped(at=command.at, reason=command.skip_reason))


def plan(state: Message, command: c.PlanMessage) -> tuple[Event, ...]:
    """Request a campaign's mail or skip it, once."""
    if state.status is not None:
        return ()
    if command.skip_reason is not None:
        return (e.MessageSkipped(at=command.at, reason=command.skip_reason),)
    return (e.CampaignMessageRequested(at=command.at, campaign_id=command.campaign_id, contact_id=command.contact_id),)


def skip(state: Message, command: c.SkipMessage) -> tuple[Event, ...]:
    """Skip what was not attempted."""
    if state.status == "skipped":
        return ()
    if state.status != "queued":
        raise Rejected("already_attempted", "status")
    return (e.MessageSkipped(at=command.at, reason=command.reason),)


def attempt(state: Message, command: c.AttemptMessage) -> tuple[Event, ...]:
    """Let one ask SES, once, or again where the last answer is missing and that is wanted."""
    wanted = command.retry_unconfirmed or (state.requested is not None and state.requested.retry_unconfirmed)
    if state.status == "queued" or (state.status == "unconfirmed" and wanted):
        return (e.MessageAttempted(at=command.at),)
    raise Rejected("already_attempted" if state.status in {"sending", "unconfirmed"} else "settled", "status")


def confirm_sent(state: Message, command: c.ConfirmSent) -> tuple[Event, ...]:
    """Take SES's answer in, unless a notification was faster."""
    if state.sent_at is not None:
        return ()
    if not state.attempts:
        raise Rejected("not_attempted", "status")
    return (e.MessageSent(at=command.at, ses_message_id=command.ses_message_id),)


def record_failure(state: Message, command: c.RecordFailure) -> tuple[Event, ...]:
    """Take a failure in, unless SES has the mail."""
    if state.status == "skipped":
        raise Rejected("not_attempted", "status")
    if state.sent_at is not None or state.status == "failed":
        return ()
    return (e.MessageFailed(at=command.at, code=command.code),)


def record_unconfirmed(state: Message, command: c.RecordUnconfirmed) -> tuple[Event, ...]:
    """Take in that there is no answer, unless one came otherwise; let the mail wait again where twice is wanted."""
    if state.status == "sending":
        unconfirmed = e.MessageUnconfirmed(at=command.at)
        wanted = state.requested is not None and state.requested.retry_unconfirmed
        if wanted and state.attempts < ATTEMPTS_LIMIT:
            return (unconfirmed, e.MessageReleased(at=command.at, reason="unconfirmed"))
        return (unconfirmed,)
    if not state.attempts and state.sent_at is None:
        raise Rejected("not_attempted", "status")
    return ()


def release(state: Message, command: c.ReleaseMessage) -> tuple[Event, ...]:
    """Let a mail that SES does not have wait again."""
    if state.status == "queued":
        return ()
    if state.status not in {"sending", "unconfirmed"}:
        raise Rejected("settled", "status")
    campaign_id = state.campaign_id if state.requested is None else 0
    return (e.MessageReleased(at=command.at, reason=command.reason, campaign_id=campaign_id),)


def record_send(state: Message, command: c.RecordSend) -> tuple[Event, ...]:
    """Settle the message."""
    return _settling(state, command)


def record_delivery(state: Message, command: c.RecordDelivery) -> tuple[Event, ...]:
    """Record a delivery."""
    said: dict[str, Any] = {"at": command.at, "event_id": command.event_id}
    return _told_of(state, command, e.MessageDelivered(**said), e.MessageCopyDelivered(**said))


def record_delay(state: Message, command: c.RecordDelay) -> tuple[Event, ...]:
    """Record a delay; that of a copy is nothing to keep."""
    delayed = e.MessageDeliveryDelayed(at=command.at, event_id=command.event_id, delay_type=command.delay_type)
    return _told_of(state, command, delayed)


def record_bounce(state: Message, command: c.RecordBounce) -> tuple[Event, ...]:
    """Record a bounce of any type."""
    said: dict[str, Any] = {
        "at": command.at,
        "event_id": command.event_id,
        "bounce_type": command.bounce_type,
        "bounce_subtype": command.bounce_subtype,
    }
    return _told_of(state, command, e.MessageBounced(**said), e.MessageCopyBounced(**said))


def record_complaint(state: Message, command: c.RecordComplaint) -> tuple[Event, ...]:
    """Record a complaint."""
    said: dict[str, Any] = {
        "at": command.at,
        "event_id": command.event_id,
        "feedback_type": command.feedback_type,
    }
    return _told_of(state, command, e.MessageComplained(**said), e.MessageCopyComplained(**said))


def record_rejection(state: Message, command: c.RecordRejection) -> tuple[Event, ...]:
    """Record that SES dropped the mail."""
    return _heard(state, command, e.MessageRejected(at=command.at, event_id=command.event_id))


def record_rendering_failure(state: Message, command: c.RecordRenderingFailure) -> tuple[Event, ...]:
    """Record that SES dropped the mail."""
    return _heard(state, command, e.MessageRenderingFailed(at=command.at, event_id=command.event_id))


def record_open(state: Message, command: c.RecordOpen) -> tuple[Event, ...]:
    """Record every opening."""
    return _heard(state, command, e.MessageOpened(at=command.at, event_id=command.event_id))


def record_click(state: Message, command: c.RecordClick) -> tuple[Event, ...]:
    """Record every click."""
    url = None if command.url is None else Personal(command.url)
    return _heard(
        state, command, e.MessageClicked(at=command.at, event_id=command.event_id, link=command.link, url=url)
    )


def record_unsubscribe(state: Message, command: c.RecordUnsubscribe) -> tuple[Event, ...]:
    """Record the way out once per scope."""
    if command.scope in state.unsubscribed:
        return ()
    return (e.MessageUnsubscribed(at=command.at, scope=command.scope),)


def _settling(state: Message, command: c.FeedbackCommand) -> tuple[Event, ...]:
    """What SES tells of a mail proves that it has it."""
    if state.sent_at is not None or not command.ses_message_id:
        return ()
    return (e.MessageSent(at=command.at, event_id=command.event_id, ses_message_id=command.ses_message_id),)


def _told_of(state: Message, command: c.AddressedCommand, own: Event, copy: Event | None = None) -> tuple[Event, ...]:
    """What became of the recipient's mail is the message's fate; what became of a copy is only kept."""
    facts = [own] if command.to_recipient else []
    if command.to_copies and copy is not None:
        facts.append(copy)
    return _heard(state, command, *facts)


def _heard(state: Message, command: c.FeedbackCommand, *facts: Event) -> tuple[Event, ...]:
    if command.event_id and fingerprint(command.event_id) in state.seen:
        return ()
    return (*_settling(state, command), *facts)


_CASES: Final[dict[type[c.Command], Callable[[Message, Any], tuple[Event, ...]]]] = {
    c.RequestMessage: request,
    c.PlanMessage: plan,
    c.SkipMessage: skip,
    c.AttemptMessage: attempt,
    c.ConfirmSent: confirm_sent,
    c.RecordFailure: record_failure,
    c.RecordUnconfirmed: record_unconfirmed,
    c.ReleaseMessage: release,
    c.RecordSend: record_send,
    c.RecordDelivery: record_delivery,
    c.RecordDelay: record_delay,
    c.RecordBounce: record_bounce,
    c.RecordComplaint: record_complaint,
    c.RecordRejection: record_rejection,
    c.RecordRenderingFailure: record_rendering_failure,
    c.RecordOpen: record_open,
    c.RecordClick: record_click,
    c.RecordUnsubscribe: record_unsubscribe,
}


def decide(state: Message, command: c.Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule, ``not_found`` on ``message`` when there is none."""
    if state.status is None and not isinstance(command, c.RequestMessage | c.PlanMessage):
        raise Rejected("not_found", "message")
    return _CASES[type(command)](state, command)
