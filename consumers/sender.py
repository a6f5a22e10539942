"""Sends what waits in one lane: claims it, attempts it in the ledger, asks SES, settles it. Two lanes, two consumers:
a campaign of a hundred thousand never stands before a password reset.
"""

from __future__ import annotations

import logging
from contextlib import closing
from threading import Event as Flag
from time import monotonic
from typing import Final, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from eventsourcing.persistence import OperationalError

from consumers.claims import Claims
from consumers.pace import Pace
from consumers.posting import Posting
from consumers.ses import Ses
from consumers.session import WAIT, connect, wait
from domain.store.log import Store
from domain.store.order import Unavailable

CHANNEL: Final = "datamailer_outbox"
ASK_EVERY: Final = 30.0
"""Seconds for which the account's quotas hold."""
ASK_AGAIN: Final = 5.0
CAREFUL_RATE: Final = 1.0
"""Mails a second before SES has told its rate: that of an account in the sandbox."""

log = logging.getLogger(__name__)


class Lane(Protocol):
    """What is sent, and how it is put together."""

    name: str
    senders: int
    share: float

    def work(self, claims: Claims, posting: Posting, pace: Pace) -> bool:
        """Send what waits now, as far as the pace allows; False when there was nothing to do or no leave to do it.

        Raises the library's OperationalError, Unavailable and psycopg's OperationalError.
        """

    def land(self, claims: Claims, pace: Pace) -> None:
        """Settle what is on its way still. Raises as ``work`` does."""


class Sender:
    """One sender of a lane. Any number may run, in any number of processes."""

    def __init__(self, store: Store, ses: Ses, lane: Lane) -> None:
        self._store = store
        self._ses = ses
        self._lane = lane
        self._pace = Pace(CAREFUL_RATE)
        self._ask_at = 0.0

    def session(self, stop: Flag) -> None:
        """Send until stopped. Raises what a lost database raises: what was in hand is then for the next session."""
        with connect(self._store.conninfo, self._lane.name) as connection, closing(Posting(self._ses)) as posting:
            connection.execute(f"LISTEN {CHANNEL}")
            claims = Claims(connection, self._lane.senders)
            try:
                while not stop.is_set():
                    self._ask(claims)
                    if not self._lane.work(claims, posting, self._pace):
                        delay = self._pace.delay()
                        wait(connection, min(WAIT, delay) if delay else WAIT)
            except Unavailable as error:
                raise OperationalError from error
            finally:
                self._lane.land(claims, self._pace)

    def _ask(self, claims: Claims) -> None:
        """Learn the rate anew when it is time; every sender of the lane gets its part."""
        now = monotonic()
        if now < self._ask_at:
            return
        self._ask_at = now + ASK_EVERY
        try:
            allowance = self._ses.allowance()
        except (ClientError, BotoCoreError) as error:
            log.warning("SES does not tell its quotas", extra={"lane": self._lane.name, "error": type(error).__name__})
            self._ask_at = now + ASK_AGAIN
            return
        may = allowance.enabled and allowance.left >= 1
        self._pace.set_rate(allowance.rate * self._lane.share / max(1, claims.senders()) if may else 0.0)
        if not may:
            log.warning("SES lets nothing be sent", extra={"lane": self._lane.name})
            self._ask_at = now + ASK_AGAIN
