"""Consumers of whom one at a time works, woken by the log, while the others wait to take over."""

from __future__ import annotations

from collections.abc import Callable
from threading import Event as Flag
from typing import Final

from eventsourcing.persistence import OperationalError

from consumers.session import WAIT, Connection, connect, lead, listen, wait
from domain.store.order import Contended, Unavailable

PAUSE: Final = 0.2
"""Seconds between looks at a log that keeps growing."""


def look_while_leading(conninfo: str, name: str, look: Callable[[Connection, Flag], None], stop: Flag) -> None:
    """Take the name's lead, then look whenever the log has grown, until stopped.

    Raises what a lost database raises: the next session goes on where this one was.
    """
    with connect(conninfo, name) as connection:
        listen(connection)
        if not lead(connection, name, stop):
            return
        while not stop.is_set():
            try:
                look(connection, stop)
            except (Unavailable, Contended) as error:
                raise OperationalError from error
            stop.wait(PAUSE)
            wait(connection, WAIT)
