"""Deciding on suppressions: every organization owns its record, and a flag stands while any record does."""

from __future__ import annotations

from typing import Final

import msgspec

from domain.contact import events as e
from domain.contact.commands import Command, RecordComplaint, RecordHardBounce, SuppressContact, Suppressions
from domain.contact.registration import require_subscription
from domain.contact.state import Contact, Suppression, personal
from domain.decider import Event, Rejected

_Recorded = e.ContactGloballyUnsubscribed | e.ContactHardBounced | e.ContactComplained
_Lifted = e.ContactGlobalUnsubscribeLifted | e.ContactHardBounceLifted | e.ContactComplaintLifted


class _Flag(msgspec.Struct, frozen=True):
    name: str
    recorded: type[_Recorded]
    lifted: type[_Lifted]


_GLOBAL: Final = _Flag("global_unsubscribed", e.ContactGloballyUnsubscribed, e.ContactGlobalUnsubscribeLifted)
_BOUNCE: Final = _Flag("hard_bounced", e.ContactHardBounced, e.ContactHardBounceLifted)
_COMPLAINT: Final = _Flag("complained", e.ContactComplained, e.ContactComplaintLifted)


def suppress(state: Contact, command: Command, wanted: Suppressions) -> list[Event]:
    """Record and lift what was said. Raises Rejected ``forbidden`` for each flag that only others recorded."""
    said = (
        (_GLOBAL, wanted.global_unsubscribed, state.global_unsubscribes),
        (_BOUNCE, wanted.hard_bounced, state.hard_bounces),
        (_COMPLAINT, wanted.complained, state.complaints),
    )
    own = command.organization_id
    events: list[Event] = []
    forbidden: dict[str, str] = {}
    for flag, value, records in said:
        if value is True and own not in records:
            events.append(flag.recorded(at=command.at, organization_id=own, reason=personal(wanted.reason)))
        elif value is False and own in records:
            events.append(flag.lifted(at=command.at, organization_id=own, reason=personal(wanted.reason)))
        elif value is False and records:
            forbidden[wanted.field_prefix + flag.name] = "forbidden"
    if forbidden:
        raise Rejected.of(forbidden)
    return events


def suppress_contact(state: Contact, command: SuppressContact) -> tuple[Event, ...]:
    """Record and lift suppressions of a contact with a subscription in the scope."""
    require_subscription(state, command)
    return tuple(suppress(state, command, command.suppressions))


def record_hard_bounce(state: Contact, command: RecordHardBounce) -> tuple[Event, ...]:
    """Record the bounce once per organization."""
    return _reported(state, command, command.reason, _BOUNCE, state.hard_bounces)


def record_complaint(state: Contact, command: RecordComplaint) -> tuple[Event, ...]:
    """Record the complaint once per organization."""
    return _reported(state, command, command.reason, _COMPLAINT, state.complaints)


def _reported(
    state: Contact, command: Command, reason: str | None, flag: _Flag, records: dict[int, Suppression]
) -> tuple[Event, ...]:
    own = command.organization_id
    if state.email is None or own in records:
        return ()
    related = own in state.organizations  # a late report after an erasure bears no words: their key is gone
    return (flag.recorded(at=command.at, organization_id=own, reason=personal(reason if related else None)),)
