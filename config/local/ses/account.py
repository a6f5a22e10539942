"""The SES account: its quotas, whether it may send, and the faults that are set on it."""

import time
from collections.abc import Callable

from config.local.ses.errors import BadRequestError, RejectedError, SesError
from config.local.ses.faults import Draw, Faults
from config.local.ses.rules import bare_address


class LostAnswerError(Exception):
    """The call was carried out and is not answered."""

    def __init__(self, hold_seconds: float) -> None:
        super().__init__("the answer is lost")
        self.hold_seconds = hold_seconds


class Account:
    """What stands between a well-formed call and the inbox.

    `sent` tells how many recipients were accepted so far. The rate is a bucket that holds one second of it.
    """

    def __init__(self, faults: Faults, sent: Callable[[], int]) -> None:
        self._initial = faults
        self._sent = sent
        self.set(faults)

    def set(self, faults: Faults) -> None:
        """Replace the faults; what they counted starts again. Raises `BadRequestError` for what is no address."""
        draws = [Draw(chance) for chance in (faults.throttle, faults.error, faults.lost, faults.entries)]
        self._rejected = frozenset(bare_address(text) for text in faults.rejected_addresses)
        self.throttle, self.error, self.lost, self.entries = draws
        self.faults = faults
        self._unverified = frozenset(text.lower() for text in faults.unverified_senders)
        self._allowance = faults.max_send_rate
        self._filled_at = time.monotonic()

    def reset(self) -> None:
        """Go back to the faults of the start."""
        self.set(self._initial)

    def hits(self) -> dict[str, int]:
        """Return how often each fault has struck since it was set."""
        draws = {"throttle": self.throttle, "error": self.error, "lost": self.lost, "entries": self.entries}
        return {name: draw.hits for name, draw in draws.items()}

    def quota(self) -> dict[str, float]:
        """Return `SendQuota` of GetAccount; a daily quota of -1 has no end."""
        faults = self.faults
        return {
            "Max24HourSend": faults.max_24_hour_send,
            "MaxSendRate": faults.max_send_rate,
            "SentLast24Hours": float(self._sent()),
        }

    def before(self, addresses: tuple[str, ...]) -> None:
        """Raise what keeps the whole call from being carried out."""
        faults = self.faults
        if self.throttle.hit(addresses):
            raise SesError("TooManyRequestsException", "Maximum sending rate exceeded.")
        if faults.error and not faults.error.after_accepting:
            self._fail(addresses)
        if faults.suspended:
            raise SesError("AccountSuspendedException", "The account's ability to send email is restricted.")
        if faults.sending_paused:
            raise SesError("SendingPausedException", "Email sending is paused.")

    def check_sender(self, address: str) -> None:
        """Raise when the sender is missing or not verified."""
        if not address:
            raise BadRequestError("Missing required FromEmailAddress")
        if self._unverified and {address, address.rpartition("@")[2]} & self._unverified:
            raise RejectedError("Email address is not verified. An identity failed the check in this region.")

    def admit(self, addresses: tuple[str, ...]) -> None:
        """Take one mail's recipients from the quotas, or raise why it is not taken."""
        if self._rejected and not self._rejected.isdisjoint(addresses):
            raise RejectedError("The message contains a recipient that is rejected.")
        most = self.faults.max_24_hour_send
        if most >= 0 and self._sent() + len(addresses) > most:
            raise SesError("LimitExceededException", "Daily message quota exceeded.")
        self._take(len(addresses))

    def after(self, addresses: tuple[str, ...]) -> None:
        """Raise what spoils the answer of a call that was carried out."""
        faults = self.faults
        if faults.error and faults.error.after_accepting:
            self._fail(addresses)
        if faults.lost and self.lost.hit(addresses):
            raise LostAnswerError(faults.lost.hold_ms / 1000)

    def _fail(self, addresses: tuple[str, ...]) -> None:
        fault = self.faults.error
        if fault and self.error.hit(addresses):
            raise SesError(fault.code, fault.message, fault.status)

    def _take(self, count: int) -> None:
        rate, now = self.faults.max_send_rate, time.monotonic()
        self._allowance = min(max(rate, 1.0), self._allowance + (now - self._filled_at) * rate)
        self._filled_at = now
        if self._allowance < min(count, max(rate, 1.0)):
            raise SesError("TooManyRequestsException", "Maximum sending rate exceeded.")
        self._allowance -= count
