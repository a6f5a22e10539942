"""How many calls each webhook may have under way, so that those who do not answer delay nobody who does.

A webhook whose last answer was good may have several, one that is new or failing only one. All that fail share half of
the calls, with the new ones three quarters: whoever answers well finds room whatever the others do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import shuffle
from typing import Final, NamedTuple


class Limit(NamedTuple):
    """How many calls one webhook of a standing may have, and how many all of this standing and worse ones together."""

    of_one: int
    together: int


FAILING, NEW, GOOD = range(3)
LIMITS: Final = (Limit(1, 32), Limit(1, 48), Limit(4, 64))
"""By standing, the worst first."""


class Shares:
    """The calls under way of one session, and how each webhook answered last."""

    def __init__(self) -> None:
        self._busy: Counter[int] = Counter()
        self._standing: dict[int, int] = {}

    @property
    def under_way(self) -> int:
        """How many calls there are."""
        return self._busy.total()

    def room(self, webhooks: Iterable[int]) -> dict[int, int]:
        """How many more each may have now, those of them that may have any; in no lasting order."""
        asking = list(webhooks)
        shuffle(asking)
        used = [0 for _ in LIMITS]
        for webhook_id, busy in self._busy.items():
            used[self._standing_of(webhook_id)] += busy
        room: dict[int, int] = {}
        for each in asking:
            standing = self._standing_of(each)
            left = min(LIMITS[at].together - sum(used[: at + 1]) for at in range(standing, len(LIMITS)))
            share = min(LIMITS[standing].of_one - self._busy[each], left)
            if share > 0:
                room[each] = share
                used[standing] += share
        return room

    def began(self, webhook_id: int) -> None:
        """A call to it is under way."""
        self._busy[webhook_id] += 1

    def ended(self, webhook_id: int, *, well: bool) -> None:
        """A call to it ended."""
        self._busy[webhook_id] -= 1
        if not self._busy[webhook_id]:
            del self._busy[webhook_id]
        self._standing[webhook_id] = GOOD if well else FAILING

    def _standing_of(self, webhook_id: int) -> int:
        return self._standing.get(webhook_id, NEW)
