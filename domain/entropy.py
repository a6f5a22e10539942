"""Random bytes from the system, drawn in bulk: each call to it lets the interpreter lock go and queues for it again."""

from __future__ import annotations

import os
from threading import Lock
from typing import Final

POOL_BYTES: Final = 16_384


class Entropy:
    """A pool of bytes from the system's generator, each given out once. Thread-safe; a forked child draws anew."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pool = b""
        self._used = 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """So many random bytes, fit for keys and nonces."""
        with self._lock:
            start = self._used
            if start + count > len(self._pool):
                self._pool, start = os.urandom(max(POOL_BYTES, count)), 0
            self._used = start + count
            return self._pool[start : start + count]

    def _forget(self) -> None:
        self._lock = Lock()
        self._pool, self._used = b"", 0


random_bytes: Final = Entropy().take
