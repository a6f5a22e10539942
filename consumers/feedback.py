"""Takes in what SES told of mail before the log knew it, once it does, and gives up on what nobody claims for days."""

from __future__ import annotations

import logging
from threading import Event as Flag
from time import monotonic
from typing import Final

from domain.store.feedback import Feedback, Told
from domain.store.log import Store
from domain.store.order import Failed, new_correlation_id
from domain.store.waiting_feedback import WaitingFeedback

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
        """Look at the events whose turn it is; gives how many. Those that stay are not looked at again for a while."""
        due = self._waiting.due(BATCH)
        found = [(each, each.event) for each in due if each.event is not None]
        told = [Told(event, "ses", new_correlation_id(), each.named) for each, event in found]
        verdicts = self._feedback.take(told)
        later = {each.name: each.error for each in due if each.event is None}
        for (each, event), verdict in zip(found, verdicts, strict=True):
            if isinstance(verdict, Failed):
                later[each.name] = type(verdict.error).__name__
                log.warning("feedback failed", extra={"stream": str(event.stream), "error": later[each.name]})
        self._waiting.forget([each.name for each in due if each.name not in later])
        self._waiting.defer(later)
        return len(due)
