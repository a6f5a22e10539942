"""Settings of the interpreter for a process that reads and writes rows by the million."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

TURN_SECONDS: Final = 0.001

_lock = Lock()
_before: list[tuple[bool, float]] = []


@contextmanager
def at_full_speed() -> Iterator[None]:
    """Let threads that wait for the server have their turn soon, and keep the garbage collector from walking rows.

    Rows are done with in a moment, and nothing here makes cycles. Several threads may be in such a block; with the last
    one all is as before the first.
    """
    with _lock:
        _before.append((gc.isenabled(), sys.getswitchinterval()))
        gc.disable()
        sys.setswitchinterval(TURN_SECONDS)
    try:
        yield
    finally:
        with _lock:
            enabled, interval = _before[0]
            _before.pop()
            if not _before:
                sys.setswitchinterval(interval)
                if enabled:
                    gc.enable()
