"""What lanes do with SES's answers that are in the ledger: what SES held back waits again, and so does the lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.claims import Claims
from consumers.ledger import Landed
from consumers.pace import Pace
from consumers.ses import Held, SesHeld

PATIENCE: Final[dict[Held, float]] = {"throttled": 0.2, "unreachable": 2.0, "stopped": 5.0, "quota": 5.0}
"""Seconds to wait after SES held mail back, for each way in which it does."""


def heed(claims: Claims, pace: Pace, landed: Sequence[Landed]) -> None:
    """Free what SES held back, and be patient. Raises psycopg's OperationalError."""
    held = [(each, answer) for each, answer in landed if isinstance(answer, SesHeld)]
    if held:
        claims.let_go([each.claimed.stream for each, _ in held])
        pace.back_off(max(PATIENCE[answer.why] for _, answer in held))
