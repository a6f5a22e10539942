"""Why a campaign mailed a person or not, put together from the log: conditions, rules, and what became of the mail."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from domain.campaign import Status
from domain.decider import EVENT_TYPES, Event
from domain.eligibility import SkipReason
from domain.explanation import ConditionName
from domain.message import MessageSkipped
from domain.message import Status as MessageStatus
from domain.store.history import Opened
from domain.store.recorded import Recorded

DETAILS: Final = (
    "reason",
    "code",
    "ses_message_id",
    "bounce_type",
    "bounce_subtype",
    "delay_type",
    "feedback_type",
    "link",
    "scope",
)
"""Fields of a message's events that say more and nothing of the person."""

Outcome = MessageStatus | Literal["not_queued", "not_meant", "not_planned"]
"""Where the message stands, or why there is none; ``not_planned``: the snapshot has not come, or never came, to it."""


class Fact(msgspec.Struct, frozen=True, kw_only=True):
    """An event of the log; ``source`` is left out where another organization recorded it."""

    position: int
    at: datetime
    fact: str
    source: str | UnsetType = UNSET


class Moment(msgspec.Struct, frozen=True):
    """A position of the log, and its time."""

    position: int
    at: datetime


class Condition(msgspec.Struct, frozen=True):
    """What the campaign asks of those whom it means; ``value`` is the tag's slug or the list's key."""

    condition: ConditionName
    value: str
    passes: bool
    because: Fact | None


class RuleOutcome(msgspec.Struct, frozen=True):
    """A rule in its order: it holds the mail back for ``reason`` unless it passes. ``because``: since this event.

    A rule without such an event stands as it does for every contact of which nothing is known.
    """

    rule: str
    reason: SkipReason
    passes: bool
    because: Fact | None


class Planned(msgspec.Struct, frozen=True):
    """What the snapshot did: request the mail, or skip it for a reason."""

    position: int
    at: datetime
    skip_reason: SkipReason | None


class SkippedLater(msgspec.Struct, frozen=True):
    """A mail that the snapshot requested and that was skipped right before it was sent; ``because`` of this event."""

    position: int
    at: datetime
    skip_reason: SkipReason
    because: Fact | None


class MessageFact(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to the message, in the log's order."""

    position: int
    at: datetime
    fact: str
    detail: dict[str, str | int]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Conditions and rules stand as they did at ``as_of``: where the campaign was queued, for a draft now.

    ``meant``: every condition passed. ``skip_reason`` is that of the first rule that did not. ``mailed``: SES took the
    mail. ``email`` is null where the organization does not have the contact any more.
    """

    campaign_id: int
    external_key: str
    status: Status
    contact_id: int
    email: str | None
    outcome: Outcome
    mailed: bool
    queued: Moment | None
    as_of: int
    meant: bool
    conditions: list[Condition]
    skip_reason: SkipReason | None
    rules: list[RuleOutcome]
    snapshot: Planned | None
    sending: SkippedLater | None
    message: list[MessageFact]


def fact(recorded: Recorded, event: Event, *, whole: bool = True) -> Fact:
    """An event as it is shown."""
    source = recorded.source if whole else UNSET
    return Fact(position=recorded.position, at=event.at, fact=EVENT_TYPES[type(event)].name, source=source)


def planned(events: Iterable[Opened]) -> Planned | None:
    """What the message's first event says."""
    for recorded, event in events:
        return Planned(recorded.position, event.at, event.reason if isinstance(event, MessageSkipped) else None)
    return None


def message_fact(recorded: Recorded, event: Event) -> MessageFact:
    """An event of the message, with what it says besides."""
    said: Mapping[str, Any] = {name: getattr(event, name, None) for name in DETAILS}
    return MessageFact(
        position=recorded.position,
        at=event.at,
        fact=EVENT_TYPES[type(event)].name,
        detail={name: value for name, value in said.items() if value not in (None, "")},
    )
