"""Deciding on the validation of an address: a verdict that all organizations share."""

from __future__ import annotations

from datetime import datetime

from domain.contact.commands import Command, EmailVerdict, ValidateEmail
from domain.contact.events import ContactEmailValidated
from domain.contact.registration import require_subscription
from domain.contact.state import Contact, text_of
from domain.decider import Event
from domain.personal import Personal


def judge(state: Contact, command: Command, verdict: EmailVerdict) -> tuple[Event, ...]:
    """Take the verdict; ``validated_at`` is now when status or reason changed and no time was said (contract)."""
    before = state.validation
    status = verdict.status or before.status
    reworded = verdict.reason is not None and verdict.reason != text_of(before.reason)
    changed = reworded or status != before.status
    validated_at: datetime | None
    if status == "unknown":
        validated_at = None
    else:
        validated_at = verdict.validated_at or (command.at if changed else before.validated_at)
    if not changed and validated_at == before.validated_at:
        return ()
    validated = ContactEmailValidated(
        at=command.at,
        organization_id=command.organization_id,
        status=status,
        reason=Personal(verdict.reason) if reworded and verdict.reason is not None else None,
        validated_at=validated_at,
    )
    return (validated,)


def validate_email(state: Contact, command: ValidateEmail) -> tuple[Event, ...]:
    """Take the verdict on a contact with a subscription in the scope."""
    require_subscription(state, command)
    return judge(state, command, command.verdict)
