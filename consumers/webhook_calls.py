"""Calls to webhooks that are under way: so many at once, and so many of each webhook.

A webhook has one call at a time until it answered well, and again once it does not; all that fail together hold at most
half of the calls. So whoever answers never waits for those who do not.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from random import shuffle
from threading import Thread
from typing import Final, NamedTuple

from consumers.outside import Outside, OutsideError
from consumers.webhook_letters import Letter, headers
from domain.webhook_signing import Secrets

AT_ONCE: Final = 64
OF_GOOD: Final = 4
"""Calls at once to a webhook whose last answer was good."""
OF_OTHERS: Final = 1
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
        self._busy: Counter[int] = Counter()
        self._good: set[int] = set()
        self._failing: set[int] = set()

    def room(self, webhooks: Iterable[int]) -> dict[int, int]:
        """How many more calls each may have now, those of them that may have any; in no lasting order."""
        asking = list(webhooks)
        shuffle(asking)
        free = AT_ONCE - self._busy.total()
        free_to_fail = AT_ONCE // 2 - sum(self._busy[each] for each in self._failing)
        room: dict[int, int] = {}
        for each in asking:
            most = (OF_GOOD if each in self._good else OF_OTHERS) - self._busy[each]
            share = min(most, free, free_to_fail if each in self._failing else free)
            if share > 0:
                room[each] = share
                free -= share
                free_to_fail -= share if each in self._failing else 0
        return room

    @property
    def under_way(self) -> int:
        """How many there are."""
        return self._busy.total()

    def begin(self, letters: Sequence[Letter]) -> None:
        """Call, without waiting for answers."""
        for letter in letters:
            self._busy[letter.claimed.webhook_id] += 1
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
            self._note(outcome)
        return outcomes

    def _note(self, outcome: Outcome) -> None:
        webhook_id = outcome.letter.claimed.webhook_id
        self._busy[webhook_id] -= 1
        if not self._busy[webhook_id]:
            del self._busy[webhook_id]
        now, before = (self._failing, self._good) if outcome.error else (self._good, self._failing)
        now.add(webhook_id)
        before.discard(webhook_id)

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
