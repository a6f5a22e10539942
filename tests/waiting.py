"""Waiting for a condition with a deadline, for what tests watch from outside."""

import time
from collections.abc import Callable

SECONDS = 30.0


def wait_until(condition: Callable[[], bool], what: str, seconds: float = SECONDS) -> None:
    """Return as soon as the condition holds, or fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds:.0f} s for {what}")
        time.sleep(0.01)
