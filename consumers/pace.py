"""How fast mail may leave: tokens at the account's rate, of which transactional mail always finds some."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic
from typing import Final

CAMPAIGN_SHARE: Final = 0.9
"""Of the rate, what campaigns may use at most while they run: the rest is there when a password reset comes."""


class Pace:
    """A token bucket of one second's worth. ``clock`` gives seconds. Thread-safe."""

    def __init__(self, rate: float, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._rate = rate
        self._tokens = max(1.0, rate)
        self._at = clock()

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self._rate

    def set_rate(self, rate: float) -> None:
        """Take a new rate from now on. 0 stops."""
        with self._lock:
            self._fill()
            self._rate = rate
            self._tokens = min(self._tokens, max(1.0, rate))

    def take(self, wanted: int) -> int:
        """Take up to so many tokens; none while there is less than one."""
        with self._lock:
            self._fill()
            taken = min(wanted, int(self._tokens)) if self._rate > 0 else 0
            self._tokens -= taken
            return taken

    def delay(self) -> float:
        """Seconds until there is a token again; 0 when there is one, a second when all has stopped."""
        with self._lock:
            self._fill()
            if self._rate <= 0:
                return 1.0
            return max(0.0, (1.0 - self._tokens) / self._rate)

    def _fill(self) -> None:
        now = self._clock()
        self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._at) * self._rate)
        self._at = now
