"""The wish to stop a rebuild: signals leave a mark, which is looked at between steps and cancels statements.

Nothing is raised out of a signal handler: it would come in the middle of whatever the process is at.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread
from time import monotonic, sleep
from types import FrameType
from typing import Final

import psycopg
from psycopg.errors import QueryCanceled

from projections.rebuild.database import Connection
from projections.rebuild.refusals import StoppedError

LOOK_SECONDS: Final = 0.1
AGAIN_SECONDS: Final = 0.5
"""After which a statement is cancelled that began just when the one before it was."""

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Stop:
    """``asked`` turns true, and stays so, when the rebuild is to stop."""

    def __init__(self) -> None:
        self.asked = False

    def check(self) -> None:
        """Raises StoppedError when it was asked for."""
        if self.asked:
            raise StoppedError

    def wait(self, seconds: float) -> None:
        """Wait so long. Raises StoppedError as soon as it is asked for."""
        until = monotonic() + seconds
        self.check()
        while (left := until - monotonic()) > 0:
            sleep(min(left, LOOK_SECONDS))
            self.check()


@contextmanager
def on_signals() -> Iterator[Stop]:
    """SIGINT and SIGTERM ask to stop, unless they are ignored; the second one ends the process at once."""
    stop = Stop()

    def ask(_: int, __: FrameType | None) -> None:
        stop.asked = True
        for number in before:
            signal.signal(number, signal.SIG_DFL)

    before = {number: found for number in SIGNALS if (found := signal.getsignal(number)) != signal.SIG_IGN}
    for number in before:
        signal.signal(number, ask)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def cancelling(connection: Connection, stop: Stop) -> Iterator[None]:
    """A stop cancels what the session is at, for the length of the block; none is under way after it.

    Raises StoppedError in the place of QueryCanceled.
    """
    over = Event()

    def look() -> None:
        while not over.wait(LOOK_SECONDS):
            if stop.asked:
                with suppress(psycopg.Error):  # a lost server has nothing to cancel
                    connection.cancel_safe(timeout=AGAIN_SECONDS)
                over.wait(AGAIN_SECONDS)

    thread = Thread(target=look, daemon=True)
    thread.start()
    try:
        yield
    except QueryCanceled:
        stop.check()
        raise
    finally:
        over.set()
        thread.join()
