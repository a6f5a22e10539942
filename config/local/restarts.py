"""Keeps a child process running: when it ends by itself it is started again, later and later while it keeps ending."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from config.local.program import Program, StartError

FIRST_DELAY = 0.5
LONGEST_DELAY = 15.0
STEADY_SECONDS = 30.0


@dataclass
class Kept:
    """A program that has to run; `prepare` clears away what a crash left and returns the program to start."""

    prepare: Callable[[], Program]
    program: Program = field(init=False)
    endings: int = field(default=0, init=False)
    _started: float = field(default=0.0, init=False)
    _due: float | None = field(default=None, init=False)
    _delay: float = field(default=FIRST_DELAY, init=False)

    def start(self) -> None:
        """Prepare the program and start it."""
        self.program = self.prepare()
        self.program.start()
        self._started = time.monotonic()
        self._due = None

    def tend(self) -> str | None:
        """Look after the program once; return a line to show when it ended and when it could not be started."""
        now = time.monotonic()
        if self._due is not None:
            return self._start_again() if now >= self._due else None
        status = self.program.exited()
        if status is None:
            return None
        if now - self._started > STEADY_SECONDS:
            self._delay = FIRST_DELAY
        return self._later(f"stopped ({_meaning(status)})")

    def _start_again(self) -> str | None:
        try:
            self.start()
        except StartError as error:
            return self._later(f"cannot start: {str(error).splitlines()[0]}")
        return None

    def _later(self, what: str) -> str:
        self.endings += 1
        delay, self._delay = self._delay, min(self._delay * 2, LONGEST_DELAY)
        self._due = time.monotonic() + delay
        return f"{self.program.name} {what}; starting it again in {delay:g} s (see {self.program.log})"


def _meaning(status: int) -> str:
    return f"exit {status}" if status >= 0 else f"signal {-status}"
