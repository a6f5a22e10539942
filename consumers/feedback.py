"""Takes in what SES told of mail before the log knew it, once it does, and gives up on what nobody claims for days."""

from __future__ import annotations

import logging
from threading import Event as Flag
from time import monotonic
from typing import Final

from domain.store.feedback import Feedback, Told
from domain.store.log import Store
from domain.store.order import Failed, new_correlation_id
from domain.store.waiting_feedback import Waiting, WaitingFeedback

NAME: Final = "datamailer.feedback"
EVERY: Final = 1.0
"""Seconds between looks: what waits has waited for a message already, and may wait a blink longer."""
EXPIRE_EVERY: Final = 600.0
BATCH: Final = 500

log = logging.getLogger(__name__)


class FeedbackConsumer:
    """Any number may run: an event that two take in counts once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting = WaitingFeedback(store)
        self._feedback = Feedback(store)

    def session(self, stop: Flag) -> None:
        """Look until stopped. Raises the library's OperationalError when the database is lost."""
        expire_at = monotonic()
        while not stop.is_set():
            if monotonic() >= expire_at:
                self._waiting.expire()
                expire_at = monotonic() + EXPIRE_EVERY
            if not self.take():
                stop.wait(EVERY)

    def take(self) -> int:
        """Take in the events that have their message by now; gives how many."""
        found = self._waiting.matched(BATCH)
        told = [Told(each.event, "ses", new_correlation_id()) for each in found]
        verdicts = self._feedback.take(told)
        taken = [each for each, verdict in zip(found, verdicts, strict=True) if verdict == "recorded"]
        self._waiting.forget([each.name for each in taken])
        for each, verdict in zip(found, verdicts, strict=True):
            if isinstance(verdict, Failed):
                self._tell(each, verdict)
        return len(taken)

    def _tell(self, waiting: Waiting, failed: Failed) -> None:
        """An event that fails stays where it is: it is tried again, and given up in the end."""
        stream = str(waiting.event.stream)
        log.warning("feedback failed", extra={"stream": stream, "error": type(failed.error).__name__})
