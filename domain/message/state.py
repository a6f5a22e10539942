"""What a message is at a moment: where it stands on its way out, and what was heard of it since."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Literal

import msgspec

from domain.contact import UnsubscribeScope
from domain.eligibility import SkipReason
from domain.message.events import MessageRequested

Status = Literal["queued", "sending", "unconfirmed", "sent", "failed", "skipped"]


class Message(msgspec.Struct, frozen=True):
    """A mail to a contact; without ``status`` none yet. ``sent_at`` is set once SES is known to have the mail.

    Times are the earliest of their kind. ``requested`` is the request of a transactional message. ``seen`` has a hash
    of every notification that counted, ``unsubscribed`` the scopes. ``last_error`` is a code.
    """

    status: Status | None = None
    campaign_id: int = 0
    contact_id: int = 0
    requested: MessageRequested | None = None
    requested_at: datetime | None = None
    skip_reason: SkipReason | None = None
    attempts: int = 0
    attempted_at: datetime | None = None
    ses_message_id: str = ""
    sent_at: datetime | None = None
    delivered_at: datetime | None = None
    bounced_at: datetime | None = None
    bounce_type: str = ""
    complained_at: datetime | None = None
    first_opened_at: datetime | None = None
    open_count: int = 0
    first_clicked_at: datetime | None = None
    click_count: int = 0
    unsubscribed_at: datetime | None = None
    unsubscribed: frozenset[UnsubscribeScope] = frozenset()
    last_error: str = ""
    seen: frozenset[int] = frozenset()


def fingerprint(event_id: str) -> int:
    """Shorten the id of a notification to 64 bits."""
    return int.from_bytes(blake2b(event_id.encode(), digest_size=8).digest(), "big")
