"""Takes what is heard of mail into the log, many events at once: the message's fact, and the suppressions that follow.

What an event costs depends neither on the size of its campaign nor on how many events came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple
from uuid import UUID

from eventsourcing.persistence import PersistenceError
from msgspec.structs import replace

from domain import contact
from domain.contact import Contact
from domain.mail_event import MailEvent, command, suppression
from domain.message import Message
from domain.message.state import fingerprint
from domain.store.log import Store
from domain.store.mail_addressees import Addressees, addressees, identified
from domain.store.mail_owners import NUMBER, MailOwners, Owner, decider_of
from domain.store.order import Accepted, Contended, Context, Failed, Order, Outcome, Unavailable
from domain.store.waiting_feedback import WaitingFeedback, named

Verdict = Literal["recorded", "kept", "unknown"]
OUTAGES: Final = (PersistenceError, Unavailable, Contended)
"""What strikes all events alike."""


class Told(NamedTuple):
    """An event, and who told it: ``ses`` or ``person``. SES's events wait for their message, a person's do not.

    ``named`` are the hashes of whom an event names that waited; one that did not has addresses.
    """

    event: MailEvent
    source: str
    correlation_id: UUID
    named: tuple[UUID, ...] = ()


class Heard(NamedTuple):
    """An event of a message of ours."""

    told: Told
    stream: UUID
    owner: Owner
    hashes: tuple[UUID, ...]

    @property
    def event(self) -> MailEvent:
        """What was told."""
        return self.told.event

    def context(self, *, seen: bool = True) -> Context:
        """The envelope of what follows from it, in the scope of the message's client if it may see it."""
        return Context(
            organization_id=self.owner.organization_id,
            client_id=self.owner.client_id if seen else 0,
            correlation_id=self.told.correlation_id,
            source=self.told.source,
        )


class Feedback:
    """One per thread: its memory is not locked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting = WaitingFeedback(store)
        self._owners = MailOwners(store)

    def take(self, told: Sequence[Told]) -> list[Verdict | Failed]:
        """Take events in, each for itself. Never raises; an event that fails may be told again.

        One seen before changes nothing. ``recorded`` also says that there was nothing to change; ``kept`` that the
        message is not there yet; ``unknown`` that a person's link names none. An event that breaks fails alone: it is
        found by halving.
        """
        try:
            return self._take(told)
        except Exception as error:  # noqa: BLE001 - told to everyone who waits
            if isinstance(error, OUTAGES) or len(told) == 1:
                return [Failed(error)] * len(told)
        middle = len(told) // 2
        return [*self.take(told[:middle]), *self.take(told[middle:])]

    def _take(self, told: Sequence[Told]) -> list[Verdict | Failed]:
        told = self._with_streams(told)
        events = [each.event for each in told]
        states = self._owners.messages(events)
        owners = self._owners.of(events, states)
        heard = {place: each for place, one in enumerate(told) if (each := self._heard(one, owners)) is not None}
        people = identified(self._store, list({one for each in heard.values() for one in each.hashes}))
        contacts = self._contacts(heard.values(), people)
        meant = {
            place: addressees(each.event, each.owner, [people.get(one) for one in each.hashes], contacts)
            for place, each in heard.items()
        }
        outcomes: dict[int, Outcome] = dict(self._suppress(heard, meant, states, contacts))
        orders = {
            place: _recording(each, meant[place], contacts) for place, each in heard.items() if place not in outcomes
        }
        outcomes.update(zip(orders, self._store.handle(*orders.values()) if orders else (), strict=True))
        verdicts = [_verdict(outcomes.get(place), each.source) for place, each in enumerate(told)]
        kept = [each for each, verdict in zip(told, verdicts, strict=True) if verdict == "kept"]
        if kept:
            self._waiting.keep([each.event for each in kept])
        return verdicts

    def _with_streams(self, told: Sequence[Told]) -> Sequence[Told]:
        """The events with the messages that SES's name of the mail gives where our tag is missing."""
        found = self._owners.streams([each.event for each in told])
        if not found:
            return told
        return [
            each
            if each.event.stream is not None
            else each._replace(event=replace(each.event, stream=found.get(each.event.ses_message_id)))
            for each in told
        ]

    def _heard(self, told: Told, owners: Mapping[UUID, Owner]) -> Heard | None:
        stream = told.event.stream
        if stream is None or stream not in owners:
            return None
        return Heard(told, stream, owners[stream], told.named or named(self._store.keyring, told.event))

    def _contacts(self, heard: Iterable[Heard], people: Mapping[UUID, int]) -> dict[int, Contact]:
        """The contacts whose state matters: of clicks that may bear no address any more, perhaps gone, or copied."""
        wanted: set[int] = set()
        for each in heard:
            known = {number for one in each.hashes if (number := people.get(one)) is not None}
            if each.event.url or (each.hashes and each.owner.contact_id not in known):
                wanted.add(each.owner.contact_id)
            if each.event.suppresses:
                wanted |= known
        numbers = list(wanted)
        loaded = self._store.load(contact.decider, numbers=numbers) if numbers else []
        return {number: each.state for number, each in zip(numbers, loaded, strict=True)}

    def _suppress(
        self,
        heard: Mapping[int, Heard],
        meant: Mapping[int, Addressees],
        states: Mapping[UUID, Message],
        contacts: Mapping[int, Contact],
    ) -> dict[int, Failed]:
        """Suppress first, record second: told again after a crash in between, the event does both again.

        An event that the message has seen suppresses nobody, who may have been let in again since.
        """
        orders: list[tuple[int, Order]] = []
        for place, each in heard.items():
            said = suppression(each.event, each.owner.organization_id)
            if said is None:
                continue
            state = states[each.stream]
            if state.status is None or fingerprint(each.event.event_id) in state.seen:
                continue
            numbers = meant[place].contacts
            orders += [(place, _suppressing(each, said, number, contacts[number])) for number in numbers]
        outcomes = self._store.handle(*(order for _, order in orders)) if orders else []
        pairs = zip(orders, outcomes, strict=True)
        return {place: outcome for (place, _), outcome in pairs if isinstance(outcome, Failed)}


def _suppressing(
    heard: Heard, said: contact.RecordHardBounce | contact.RecordComplaint, number: int, person: Contact
) -> Order:
    """Suppress a contact. Somebody else's, who got a copy, is nothing that the client should hear of."""
    related = heard.owner.organization_id in person.organizations or number == heard.owner.contact_id
    return Order(decider=contact.decider, number=number, command=said, context=heard.context(seen=related))


def _recording(heard: Heard, meant: Addressees, contacts: Mapping[int, Contact]) -> Order:
    """The message's own fact. After an erasure nothing new is kept of where the person goes."""
    event, owner = heard.event, heard.owner
    known = contacts.get(owner.contact_id)
    related = known is not None and owner.organization_id in known.organizations
    return Order(
        decider=decider_of(heard.stream),
        number=heard.stream.int & NUMBER,
        command=command(event, meant.concerned, url=event.url if related and event.url else None),
        context=heard.context(),
        contact_id=owner.contact_id,
    )


def _verdict(outcome: Outcome | None, source: str) -> Verdict | Failed:
    """No order, or one that the message refused, says that there is no such message."""
    if isinstance(outcome, Failed):
        return outcome
    if isinstance(outcome, Accepted):
        return "recorded"
    return "kept" if source == "ses" else "unknown"
