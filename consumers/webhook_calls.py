"""Calls to webhooks that are under way: each in a thread of its own, as many as each webhook's share allows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final, NamedTuple

from consumers.outside import Outside, OutsideError
from consumers.webhook_letters import Letter, headers
from consumers.webhook_shares import Shares
from domain.webhook_signing import Secrets

SECONDS: Final = 10.0
"""How long a receiver may take."""
GONE: Final = 410
GOOD: Final = range(200, 300)


class Outcome(NamedTuple):
    """What came of a call: ``error`` is empty when it was delivered, else a word or two of ours."""

    letter: Letter
    error: str
    gone: bool = False


class Calls:
    """The calls of one session, each in a thread of its own. Not thread-safe: one session uses it."""

    def __init__(self, outside: Outside, secrets: Secrets) -> None:
        self._outside = outside
        self._secrets = secrets
        self._outcomes: SimpleQueue[Outcome] = SimpleQueue()
        self._shares = Shares()

    def room(self, webhooks: Iterable[int]) -> dict[int, int]:
        """How many more calls each may have now, those of them that may have any."""
        return self._shares.room(webhooks)

    @property
    def under_way(self) -> int:
        """How many there are."""
        return self._shares.under_way

    def begin(self, letters: Sequence[Letter]) -> None:
        """Call, without waiting for answers."""
        for letter in letters:
            self._shares.began(letter.claimed.webhook_id)
            Thread(target=self._call, args=(letter,), name="webhook", daemon=True).start()

    def ended(self, seconds: float) -> list[Outcome]:
        """The calls that ended since; waits so long for a first one."""
        outcomes: list[Outcome] = []
        try:
            outcomes.append(self._outcomes.get(timeout=seconds))
            while True:
                outcomes.append(self._outcomes.get_nowait())
        except Empty:
            pass
        for outcome in outcomes:
            self._shares.ended(outcome.letter.claimed.webhook_id, well=not outcome.error)
        return outcomes

    def _call(self, letter: Letter) -> None:
        error, gone = "internal error", False
        try:
            given = headers(self._secrets, letter, datetime.now(UTC))
            with self._outside.stream(
                "POST", letter.url, body=letter.body, headers=given, seconds=SECONDS, limit=0
            ) as answer:
                status = answer.status
            error, gone = "" if status in GOOD else f"status {status}", status == GONE
        except OutsideError as failure:
            error = failure.code.replace("_", " ")
        finally:
            self._outcomes.put(Outcome(letter, error, gone))
