"""Keeps a consumer running through the loss of what it talks to, and stops it when asked."""

from __future__ import annotations

import logging
from collections.abc import Callable
from threading import Event as Flag
from time import monotonic
from typing import Final

import psycopg
from eventsourcing.persistence import PersistenceError
from kafka.errors import KafkaError

from projections.engine import Repartitioned

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 10.0
HEALTHY_SECONDS: Final = 30.0

LOST = (psycopg.OperationalError, psycopg.InterfaceError, PersistenceError, KafkaError, OSError, Repartitioned)
"""What a new session may mend: Postgres or Kafka out of reach, or the log divided anew."""

log = logging.getLogger(__name__)


def keep_running(name: str, session: Callable[[Flag], None], stop: Flag) -> None:
    """Run one session after another until stopped, with growing pauses while they fail.

    A session begins from what the database says and may end at any moment. Raises what it raises when that is not
    something lost: a defect must be seen.
    """
    delay = FIRST_DELAY
    while not stop.is_set():
        began = monotonic()
        try:
            session(stop)
        except LOST as error:
            if monotonic() - began > HEALTHY_SECONDS:
                delay = FIRST_DELAY
            log.warning(
                "session lost",
                extra={"consumer": name, "error": type(error).__name__, "retry_seconds": round(delay, 1)},
            )
            stop.wait(delay)
            delay = min(delay * 2, LONGEST_DELAY)
