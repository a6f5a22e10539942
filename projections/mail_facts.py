"""What became of a mail, as the rows of transactional messages and of campaigns' recipients both tell it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final, Literal, LiteralString, TypeVar

import msgspec
from msgspec.structs import replace

from domain.decider import Event
from domain.message import events as e
from domain.store.recorded import Recorded
from projections.projection import Projection

MailStatus = Literal["queued", "sending", "unconfirmed", "sent", "bounced", "complained", "failed", "skipped"]
"""What is shown of a mail: a mail that came back, or was reported as spam, is not just ``sent``."""

MAIL_STATUS: Final[LiteralString] = """
CASE WHEN m.complained_at IS NOT NULL THEN 'complained' WHEN m.bounced_at IS NOT NULL THEN 'bounced' ELSE m.status END
"""
"""The status that is shown of a row ``m``."""


class MailFacts(msgspec.Struct, frozen=True):
    """Times are the earliest of their kind, in UTC; ``last_error`` is a code. Neither address nor text is here.

    ``sent_at``: SES has the mail. ``status`` is the ledger's; what is shown of it is :data:`MAIL_STATUS`.
    """

    status: str
    skip_reason: str | None
    requested_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    bounced_at: datetime | None
    complained_at: datetime | None
    first_opened_at: datetime | None
    open_count: int
    first_clicked_at: datetime | None
    click_count: int
    unsubscribed_at: datetime | None
    last_error: str


M = TypeVar("M", bound=MailFacts)

UNHEARD_OF: Final[dict[str, Any]] = {
    "sent_at": None,
    "delivered_at": None,
    "bounced_at": None,
    "complained_at": None,
    "first_opened_at": None,
    "open_count": 0,
    "first_clicked_at": None,
    "click_count": 0,
    "unsubscribed_at": None,
    "last_error": "",
}
"""A mail of which nothing was heard yet."""


def _earliest(known: datetime | None, at: datetime) -> datetime:
    return at if known is None or at < known else known


def _skipped(row: M, event: e.MessageSkipped) -> M:
    return replace(row, status="skipped", skip_reason=event.reason)


def _attempted(row: M, _: e.MessageAttempted) -> M:
    return replace(row, status="sending")


def _failed(row: M, event: e.MessageFailed) -> M:
    return replace(row, status="failed", last_error=event.code)


def _unconfirmed(row: M, _: e.MessageUnconfirmed) -> M:
    return replace(row, status="unconfirmed", last_error="unconfirmed")


def _released(row: M, event: e.MessageReleased) -> M:
    return replace(row, status="queued", last_error=event.reason)


def _sent(row: M, event: e.MessageSent) -> M:
    return replace(row, status="sent", sent_at=_earliest(row.sent_at, event.at), last_error="")


def _delivered(row: M, event: e.MessageDelivered) -> M:
    return replace(row, delivered_at=_earliest(row.delivered_at, event.at))


def _bounced(row: M, event: e.MessageBounced) -> M:
    error = f"bounced_{event.bounce_type.lower()}"
    return replace(row, bounced_at=_earliest(row.bounced_at, event.at), last_error=error)


def _complained(row: M, event: e.MessageComplained) -> M:
    return replace(row, complained_at=_earliest(row.complained_at, event.at))


def _rejected(row: M, _: e.MessageRejected) -> M:
    return replace(row, status="failed", last_error="rejected")


def _rendering_failed(row: M, _: e.MessageRenderingFailed) -> M:
    return replace(row, status="failed", last_error="rendering_failed")


def _opened(row: M, event: e.MessageOpened) -> M:
    return replace(row, first_opened_at=_earliest(row.first_opened_at, event.at), open_count=row.open_count + 1)


def _clicked(row: M, event: e.MessageClicked) -> M:
    return replace(row, first_clicked_at=_earliest(row.first_clicked_at, event.at), click_count=row.click_count + 1)


def _unsubscribed(row: M, event: e.MessageUnsubscribed) -> M:
    return replace(row, unsubscribed_at=_earliest(row.unsubscribed_at, event.at))


_CASES: Final[dict[type[Event], Callable[[Any, Any], Any]]] = {
    e.MessageSkipped: _skipped,
    e.MessageAttempted: _attempted,
    e.MessageFailed: _failed,
    e.MessageUnconfirmed: _unconfirmed,
    e.MessageReleased: _released,
    e.MessageSent: _sent,
    e.MessageDelivered: _delivered,
    e.MessageBounced: _bounced,
    e.MessageComplained: _complained,
    e.MessageRejected: _rejected,
    e.MessageRenderingFailed: _rendering_failed,
    e.MessageOpened: _opened,
    e.MessageClicked: _clicked,
    e.MessageUnsubscribed: _unsubscribed,
}
TOLD: Final = tuple(_CASES)
"""The events after the request that change a row."""


def told(row: M, event: Event) -> M:
    """The row after an event of :data:`TOLD`; the same as ``domain.message.evolve`` makes of it."""
    after: M = _CASES[type(event)](row, event)
    return after


class MailProjection(Projection, frozen=True, kw_only=True):
    """A read model of messages of some kinds only: transactional ones and campaigns' share their events."""

    kinds: tuple[int, ...]

    def wanted(self, events: Iterable[Recorded]) -> list[Recorded]:
        """Those of its kinds."""
        return [event for event in super().wanted(events) if event.kind in self.kinds]
