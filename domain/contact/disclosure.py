"""What one organization may see of a contact's history: its own facts, and those that concern the contact everywhere.

Of what others recorded it sees that it happened and when, not who recorded it and none of their words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from domain.contact import events as e
from domain.decider import Event

SHARED: Final = (
    e.ContactRegistered,
    e.ContactGloballyUnsubscribed,
    e.ContactGlobalUnsubscribeLifted,
    e.ContactHardBounced,
    e.ContactHardBounceLifted,
    e.ContactComplained,
    e.ContactComplaintLifted,
    e.ContactEmailValidated,
)
"""Facts that every organization's mail to the contact depends on."""


def last_erasure(events: Sequence[Event], organization_id: int) -> int:
    """The place of the event with which the organization last erased the contact; -1 when it never did.

    What it recorded before is nobody's: a contact that comes back is a new one to it, though others kept the old.
    """
    erasures = (
        place
        for place in range(len(events) - 1, -1, -1)
        if isinstance(event := events[place], e.ContactErased) and event.organization_id == organization_id
    )
    return next(erasures, -1)


def disclosed(event: Event, *, recorded_by: int, to: int) -> Event | None:
    """The event as the organization ``to`` may see it; None when it may not.

    ``recorded_by`` is the organization in whose name it was recorded, 0 the system itself.
    """
    if recorded_by == to:
        return event
    match event:
        case e.ContactRegistered():
            return replace(event, organization_id=0)
        case e.ContactVerified(audience_id=0) | e.ContactVerificationWithdrawn(audience_id=0):
            return event
    return replace(event, organization_id=0, reason=None) if isinstance(event, SHARED) else None
