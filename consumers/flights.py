"""Chunks of mail in the air: one is on its way to SES while the next is attempted and the last one is settled."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED
from concurrent.futures import wait as wait_for
from time import monotonic
from typing import Any, Final, NamedTuple

from consumers.claims import Claims
from consumers.ledger import Landed, Ledger, Ready, Scoped
from consumers.pace import Pace
from consumers.posting import CALLS_AT_ONCE, Calls
from consumers.settling import heed
from domain.contact import Contact

AT_ONCE: Final = 2
"""Chunks in the air: enough that SES never waits for the ledger."""
SECONDS: Final = 0.3
"""How long a chunk should take: two of them, and a look at the campaign, are within the second of a pause."""


class Flight(NamedTuple):
    """A chunk in the air."""

    ready: list[Ready]
    calls: Calls[Any]


class Flights:
    """What one sender has in the air."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._air: list[Flight] = []
        self._landed_at = 0.0
        self._speed = 4 * CALLS_AT_ONCE / SECONDS

    def __bool__(self) -> bool:
        """Whether anything is in the air."""
        return bool(self._air)

    def chunk(self, most: int) -> int:
        """How many mails that go out one a call to have in a chunk."""
        return max(CALLS_AT_ONCE, min(most, int(self._speed * SECONDS)))

    def attempt(self, claims: Claims, pace: Pace, scoped: list[Scoped], contacts: dict[int, Contact]) -> list[Ready]:
        """Attempt a chunk, and settle what has landed in the same append; waits until there is room for one more.

        Raises as the ledger's ``attempt``.
        """
        landed = self._landed(AT_ONCE - 1)
        ready = self._ledger.attempt(scoped, contacts, landed)
        heed(claims, pace, landed)
        return ready

    def launch(self, ready: list[Ready], calls: Calls[Any]) -> None:
        """Have a chunk in the air."""
        if not self._air:
            self._landed_at = monotonic()
        self._air.append(Flight(ready, calls))

    def land(self, claims: Claims, pace: Pace) -> None:
        """Wait for all that is in the air and settle it. Raises as the ledger's ``settle``."""
        landed = self._landed(0)
        self._ledger.settle(landed)
        heed(claims, pace, landed)

    def _landed(self, room: int) -> list[Landed]:
        """Take out what has landed, waiting until no more than ``room`` chunks are in the air."""
        landed: list[Landed] = []
        calls = 0
        while self._air:
            enough = len(self._air) <= room
            whole = [flight.calls.whole for flight in self._air]
            done, _ = wait_for(whole, timeout=0 if enough else None, return_when=FIRST_COMPLETED)
            if not done:
                break
            for flight in [flight for flight in self._air if flight.calls.whole in done]:
                self._air.remove(flight)
                calls += flight.calls.count
                landed += zip(flight.ready, flight.calls.answers(), strict=True)
        if calls:
            now = monotonic()
            self._speed = calls / max(now - self._landed_at, 1e-3)
            self._landed_at = now
        return landed
