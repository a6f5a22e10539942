"""What can be made to go wrong, and when: throttling, errors, lost answers, latency, quotas, refusals."""

from random import Random
from typing import Annotated, Any, Final, Literal

import msgspec

from config.local.ses.rules import bare_address

Count = Annotated[int, msgspec.Meta(ge=0)]
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Amount = Annotated[float, msgspec.Meta(ge=0)]
AutoEvent = Literal["Send", "Delivery", "Open", "Click", "Bounce", "Complaint", "Reject", "DeliveryDelay"]

CHANCES: Final = ("throttle", "error", "lost", "entries")
DEFAULT_RATE: Final = 100_000.0
DEFAULT_QUOTA: Final = 100_000_000.0


class Chance(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Which calls are hit: every k-th, or a share drawn from a seed; only the first `times`, only those to `to`.

    Every k-th: with `every` 3 the third, sixth, ninth. Both `every` and `share` at 0 hit nothing; `times` 0 has no end.
    """

    every: Count = 0
    share: Share = 0.0
    seed: int = 0
    times: Count = 0
    to: tuple[str, ...] = ()


class ErrorFault(Chance, frozen=True):
    """An error in place of the answer; with `after_accepting` the mail is in the inbox all the same."""

    code: str = "InternalServiceErrorException"
    message: str = "The request could not be processed."
    status: Annotated[int, msgspec.Meta(ge=0, le=599)] = 0
    after_accepting: bool = False


class LostFault(Chance, frozen=True):
    """The mail is accepted, the answer never comes: the connection is held for `hold_ms`, then closed."""

    hold_ms: Amount = 0.0


class EntryFault(Chance, frozen=True):
    """Single mails of a bulk call fail while the call succeeds."""

    status: Literal["TRANSIENT_FAILURE", "ACCOUNT_THROTTLED", "FAILED", "MESSAGE_REJECTED"] = "TRANSIENT_FAILURE"


class Faults(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, frozen=True):
    """Everything that `POST /faults` sets; a member that is not given stays as it is.

    `rejected_addresses` are recipients, `unverified_senders` addresses or domains. `auto_events` are published by
    themselves after a mail is accepted, in that order; `signature_version` is the one that they are signed with.
    """

    throttle: Chance | None = None
    error: ErrorFault | None = None
    lost: LostFault | None = None
    entries: EntryFault | None = None
    latency_ms: Amount = 0.0
    max_send_rate: Amount = DEFAULT_RATE
    max_24_hour_send: Annotated[float, msgspec.Meta(ge=-1)] = DEFAULT_QUOTA
    rejected_addresses: tuple[str, ...] = ()
    unverified_senders: tuple[str, ...] = ()
    sending_paused: bool = False
    suspended: bool = False
    auto_events: tuple[AutoEvent, ...] = ()
    signature_version: Literal["1", "2"] = "1"

    def changed(self, patch: dict[str, Any]) -> "Faults":
        """Return these faults with the members of the patch; raise `msgspec.ValidationError` when one is wrong.

        A number in place of a chance is its share: `{"throttle": 0.5}`.
        """
        shares = {name: {"share": patch[name]} for name in CHANCES if type(patch.get(name)) in {int, float}}
        return msgspec.convert({**msgspec.to_builtins(self), **patch, **shares}, Faults)


class Draw:
    """Decides for each call whether a `Chance` hits it, and counts."""

    def __init__(self, chance: Chance | None) -> None:
        self._chance = chance
        self._random = Random(chance.seed if chance else 0)  # noqa: S311 - a fault drawn from a seed, nothing secret
        self._only = frozenset(bare_address(text) for text in chance.to) if chance else frozenset()
        self._seen = 0
        self.hits = 0

    def hit(self, addresses: tuple[str, ...]) -> bool:
        """Tell whether this call, to these addresses, is hit."""
        chance = self._chance
        if chance is None or (self._only and self._only.isdisjoint(addresses)):
            return False
        if chance.times and self.hits >= chance.times:
            return False
        self._seen += 1
        is_nth = chance.every > 0 and self._seen % chance.every == 0
        hit = is_nth or (chance.share > 0 and self._random.random() < chance.share)
        self.hits += hit
        return hit
