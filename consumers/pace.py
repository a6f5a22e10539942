"""How fast mail may leave: tokens at the account's rate, and none for a while after SES asked for patience."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from time import monotonic


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
            taken = max(0, min(wanted, int(self._tokens))) if self._rate > 0 else 0
            self._tokens -= taken
            return taken

    def give_back(self, unused: int) -> None:
        """Return tokens that nobody needed."""
        with self._lock:
            self._tokens += unused

    def back_off(self, seconds: float) -> None:
        """Give nothing for so long."""
        with self._lock:
            self._tokens = 0.0
            self._at = max(self._at, self._clock() + seconds)

    def delay(self) -> float:
        """Seconds until there is a token again; 0 when there is one, a second when all has stopped."""
        with self._lock:
            self._fill()
            if self._rate <= 0:
                return 1.0
            return max(0.0, self._at - self._clock()) + max(0.0, (1.0 - self._tokens) / self._rate)

    def _fill(self) -> None:
        now = self._clock()
        if now > self._at:
            self._tokens = min(max(1.0, self._rate), self._tokens + (now - self._at) * self._rate)
            self._at = now
