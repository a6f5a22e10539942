"""What lanes do with SES's answers: into the ledger first; what SES held back waits again, and so does the lane."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from consumers.claims import Claims
from consumers.ledger import Ledger, Ready
from consumers.pace import Pace
from consumers.ses import Held, SesAnswer, SesHeld

PATIENCE: Final[dict[Held, float]] = {"throttled": 0.2, "unreachable": 2.0, "stopped": 5.0, "quota": 5.0}
"""Seconds to wait after SES held mail back, for each way in which it does."""


def settle(ledger: Ledger, claims: Claims, pace: Pace, ready: Sequence[Ready], answers: Sequence[SesAnswer]) -> None:
    """Put the answers into the log. Raises the library's OperationalError when it is out of reach."""
    ledger.settle(ready, answers)
    held = [(each, answer) for each, answer in zip(ready, answers, strict=True) if isinstance(answer, SesHeld)]
    if held:
        claims.let_go([each.claimed.stream for each, _ in held])
        pace.back_off(max(PATIENCE[answer.why] for _, answer in held))
