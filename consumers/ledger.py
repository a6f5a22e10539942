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
from domain.store.known import Known, handle_known
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
    """A message that this process attempted and is to ask SES for, once; ``version`` is its stream's since then."""

    claimed: Claimed
    scope: Scope
    message: Message
    contact: Contact
    version: int


Landed = tuple[Ready, SesAnswer]
"""A message that SES was asked for, and what it said."""


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

    def attempt(
        self, scoped: Sequence[Scoped], contacts: dict[int, Contact], landed: Sequence[Landed] = ()
    ) -> list[Ready]:
        """Attempt what nothing speaks against, skip the rest; gives what this call attempted.

        What has landed is settled in the same append. A message that another sender left in mid-attempt becomes
        unconfirmed. Raises the library's OperationalError when the log is out of reach: then nothing is to be sent.
        """
        now, orders = datetime.now(UTC), Orders()
        settled = [orders.order(each.claimed, each.scope, settling(answer, now)) for each, answer in landed]
        asked = [orders.order(each.claimed, each.scope, starting(each.skip_reason, now)) for each in scoped]
        known = [*(Known(each.version, each.message) for each, _ in landed), *(begun(each.claimed) for each in scoped)]
        outcomes = self._handle([*settled, *asked], known)[len(settled) :]
        ready: list[Ready] = []
        orphans: list[Order] = []
        for each, outcome in zip(scoped, outcomes, strict=True):
            if isinstance(outcome, Refused) and outcome.error.fields.get("status") == "already_attempted":
                orphans.append(orders.order(each.claimed, each.scope, message.RecordUnconfirmed(at=now)))
            elif isinstance(outcome, Accepted) and attempted(outcome):
                found = contacts[each.claimed.contact_id]
                ready.append(Ready(each.claimed, each.scope, outcome.state, found, outcome.version))
        self._handle(orphans, [None] * len(orphans))
        return ready

    def settle(self, landed: Sequence[Landed]) -> None:
        """Put what SES said into the log. Raises as :meth:`attempt` does; the messages are then left in mid-attempt."""
        self.attempt((), {}, landed)

    def fail(self, failed: Sequence[tuple[Claimed, Scope, str]]) -> None:
        """Give up on messages that cannot be put together. Raises as :meth:`attempt` does."""
        now, orders = datetime.now(UTC), Orders()
        self._handle(
            [orders.order(claimed, scope, message.RecordFailure(at=now, code=code)) for claimed, scope, code in failed],
            [None] * len(failed),
        )

    def _handle(self, orders: Sequence[Order], known: Sequence[Known | None]) -> list[Outcome]:
        if not orders:
            return []
        outcomes = handle_known(self._store, orders, known)
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                if isinstance(outcome.error, Unavailable):
                    raise OperationalError from outcome.error
                raise outcome.error
        return outcomes


class Orders:
    """Commands for messages in hand; those of a client share an envelope."""

    def __init__(self) -> None:
        self._contexts: dict[Scope, Context] = {}

    def order(self, claimed: Claimed, scope: Scope, command: Commanded) -> Order:
        """One command."""
        context = self._contexts.get(scope)
        if context is None:
            context = Context(organization_id=scope.organization_id, client_id=scope.client_id, source="sender")
            self._contexts[scope] = context
        return Order(
            decider=decider_of(claimed.stream),
            number=claimed.stream.int & NUMBER,
            command=command,
            context=context,
            contact_id=claimed.contact_id,
        )


def begun(claimed: Claimed) -> Known | None:
    """How a message in the outbox began: a campaign's by being queued, which is all there is of it for most."""
    if decider_of(claimed.stream) is message.transactional:
        return None
    campaign_id, contact_id = message.campaign_and_contact(claimed.stream)
    return Known(1, Message(status="queued", campaign_id=campaign_id, contact_id=contact_id))


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
