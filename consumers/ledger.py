"""The ledger of sending: nothing is sent that was not attempted in the log first, and every answer goes into it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from eventsourcing.persistence import OperationalError

from consumers.claims import Claimed
from consumers.ses import SesAnswer, SesHeld, SesRefused, SesSent
from domain import contact, message
from domain.contact import Contact
from domain.decider import Decider
from domain.eligibility import SkipReason
from domain.message import Message
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Refused, Unavailable

TRANSACTIONAL_KIND = message.transactional.kind
NUMBER = (1 << 96) - 1
Commanded = (
    message.AttemptMessage
    | message.SkipMessage
    | message.ConfirmSent
    | message.RecordFailure
    | message.RecordUnconfirmed
    | message.ReleaseMessage
)


class Scope(NamedTuple):
    """Whose mail it is: the envelope of the ledger's events."""

    organization_id: int
    client_id: int


class Scoped(NamedTuple):
    """A claimed message, whose it is, and why it may not go after all."""

    claimed: Claimed
    scope: Scope
    skip_reason: SkipReason | None


class Ready(NamedTuple):
    """A message that this process attempted and is to ask SES for, once."""

    claimed: Claimed
    scope: Scope
    message: Message
    contact: Contact


class Ledger:
    """Puts what senders do into the log, many messages at once."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def contacts(self, claimed: Iterable[Claimed]) -> dict[int, Contact]:
        """The contacts as they are now: what they say right before sending wins. Raises Unavailable."""
        numbers = list({each.contact_id for each in claimed})
        loaded = self._store.load(contact.decider, numbers=numbers)
        return {number: each.state for number, each in zip(numbers, loaded, strict=True)}

    def messages(self, claimed: Sequence[Claimed]) -> list[Message]:
        """The messages as they stand. Raises Unavailable."""
        if not claimed:
            return []
        decider = decider_of(claimed[0].stream)
        numbers = [each.stream.int & NUMBER for each in claimed]
        return [loaded.state for loaded in self._store.load(decider, numbers=numbers)]

    def attempt(self, scoped: Sequence[Scoped], contacts: dict[int, Contact]) -> list[Ready]:
        """Attempt what nothing speaks against, skip the rest; gives what this call attempted.

        A message that another sender left in mid-attempt becomes unconfirmed. Raises the library's OperationalError
        when the log is out of reach: then nothing is to be sent.
        """
        now = datetime.now(UTC)
        orders = [order(each.claimed, each.scope, starting(each.skip_reason, now)) for each in scoped]
        ready: list[Ready] = []
        orphans: list[Order] = []
        for each, outcome in zip(scoped, self._handle(orders), strict=True):
            if isinstance(outcome, Refused) and outcome.error.fields.get("status") == "already_attempted":
                orphans.append(order(each.claimed, each.scope, message.RecordUnconfirmed(at=now)))
            elif isinstance(outcome, Accepted) and attempted(outcome):
                ready.append(Ready(each.claimed, each.scope, outcome.state, contacts[each.claimed.contact_id]))
        self._handle(orphans)
        return ready

    def settle(self, ready: Sequence[Ready], answers: Sequence[SesAnswer]) -> None:
        """Put what SES said into the log. Raises as :meth:`attempt` does; the messages are then left in mid-attempt."""
        now = datetime.now(UTC)
        pairs = zip(ready, answers, strict=True)
        self._handle([order(each.claimed, each.scope, settling(answer, now)) for each, answer in pairs])

    def fail(self, failed: Sequence[tuple[Claimed, Scope, str]]) -> None:
        """Give up on messages that cannot be put together. Raises as :meth:`attempt` does."""
        now = datetime.now(UTC)
        self._handle(
            [order(claimed, scope, message.RecordFailure(at=now, code=code)) for claimed, scope, code in failed]
        )

    def _handle(self, orders: Sequence[Order]) -> list[Outcome]:
        if not orders:
            return []
        outcomes = self._store.handle(*orders)
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                if isinstance(outcome.error, Unavailable):
                    raise OperationalError from outcome.error
                raise outcome.error
        return outcomes


def order(claimed: Claimed, scope: Scope, command: Commanded) -> Order:
    """A command for a message in hand."""
    context = Context(organization_id=scope.organization_id, client_id=scope.client_id, source="sender")
    return Order(
        decider=decider_of(claimed.stream),
        number=claimed.stream.int & NUMBER,
        command=command,
        context=context,
        contact_id=claimed.contact_id,
    )


def starting(skip_reason: SkipReason | None, now: datetime) -> Commanded:
    """Attempt, or skip for a reason."""
    return message.AttemptMessage(at=now) if skip_reason is None else message.SkipMessage(at=now, reason=skip_reason)


def decider_of(stream: UUID) -> Decider[Message]:
    """The rules of the kind that the stream is."""
    return message.transactional if stream.int >> 96 == TRANSACTIONAL_KIND else message.of_campaign


def attempted(outcome: Accepted) -> bool:
    """Tell whether the outcome is an attempt of one's own."""
    return any(isinstance(event, message.MessageAttempted) for event in outcome.events)


def settling(answer: SesAnswer, now: datetime) -> Commanded:
    """What SES's answer means for the message."""
    if isinstance(answer, SesSent):
        return message.ConfirmSent(at=now, ses_message_id=answer.message_id)
    if isinstance(answer, SesRefused):
        return message.RecordFailure(at=now, code=answer.code)
    if isinstance(answer, SesHeld):
        return message.ReleaseMessage(at=now, reason=answer.why)
    return message.RecordUnconfirmed(at=now)
