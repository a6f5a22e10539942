"""Takes what is heard of mail into the log, many events at once: the message's fact, and the suppression that follows.

What an event costs depends neither on the size of its campaign nor on how many events came before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple, TypeVar
from uuid import UUID

from domain import campaign, contact
from domain import message as m
from domain.contact import Contact
from domain.decider import Decider
from domain.mail_event import MailEvent, command, suppression
from domain.message import Message
from domain.message.state import fingerprint
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome
from domain.store.waiting_feedback import WaitingFeedback

NUMBER: Final = (1 << m.KIND_BITS) - 1
REMEMBERED: Final = 10_000
"""Owners that are kept in memory; they never change."""

Name = TypeVar("Name")
Verdict = Literal["recorded", "kept", "unknown"]


class Told(NamedTuple):
    """An event, and who told it: ``ses`` or ``person``. SES's events wait for their message, a person's do not."""

    event: MailEvent
    source: str
    correlation_id: UUID


class Owner(NamedTuple):
    """Whose mail it is, and for whom."""

    organization_id: int
    client_id: int
    contact_id: int


class Feedback:
    """One per thread: its memory is not locked."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._waiting = WaitingFeedback(store)
        self._campaigns: dict[int, Owner] = {}
        self._messages: dict[UUID, Owner] = {}

    def take(self, told: Sequence[Told]) -> list[Verdict | Failed]:
        """Take events in, each for itself. Never raises; an event that fails may be told again.

        One seen before changes nothing. ``recorded`` also says that there was nothing to change; ``kept`` that the
        message is not there yet; ``unknown`` that a person's link names none.
        """
        try:
            return self._take(told)
        except Exception as error:  # noqa: BLE001 - told to everyone who waits
            return [Failed(error)] * len(told)

    def _take(self, told: Sequence[Told]) -> list[Verdict | Failed]:
        events = [each.event for each in told]
        states = self._load_messages(events)
        owners = self._owners(events, states)
        contacts = self._load_contacts(events, owners)
        outcomes: dict[int, Outcome] = dict(self._suppress(told, states, owners, contacts))
        orders = {
            place: _recording(each, owners[each.event.stream], contacts)
            for place, each in enumerate(told)
            if each.event.stream in owners and place not in outcomes
        }
        outcomes.update(zip(orders, self._store.handle(*orders.values()) if orders else (), strict=True))
        verdicts = [_verdict(outcomes.get(place), each.source) for place, each in enumerate(told)]
        kept = [event for event, verdict in zip(events, verdicts, strict=True) if verdict == "kept"]
        if kept:
            self._waiting.keep(kept)
        return verdicts

    def _load_messages(self, events: Iterable[MailEvent]) -> dict[UUID, Message]:
        """The messages that must be known beforehand: of unknown owners, or about to suppress."""
        wanted = {
            event.stream
            for event in events
            if event.stream is not None
            and (event.suppresses or (_is_transactional(event.stream) and event.stream not in self._messages))
        }
        states: dict[UUID, Message] = {}
        for decider in (m.transactional, m.of_campaign):
            streams = [stream for stream in wanted if decider_of(stream) is decider]
            if streams:
                loaded = self._store.load(decider, numbers=[stream.int & NUMBER for stream in streams])
                states.update({stream: each.state for stream, each in zip(streams, loaded, strict=True)})
        return states

    def _owners(self, events: Iterable[MailEvent], states: dict[UUID, Message]) -> dict[UUID, Owner]:
        """The owners of the messages that are known, or whose campaign is."""
        for stream, state in states.items():
            if state.requested is not None:
                said = state.requested
                _remember(self._messages, stream, Owner(said.organization_id, said.client_id, said.contact_id))
        streams = {event.stream for event in events if event.stream is not None}
        parts = {stream: m.campaign_and_contact(stream) for stream in streams if not _is_transactional(stream)}
        missing = list({number for number, _ in parts.values() if number not in self._campaigns})
        if missing:
            for number, each in zip(missing, self._store.load(campaign.decider, numbers=missing), strict=True):
                if each.version:
                    _remember(self._campaigns, number, Owner(each.state.organization_id, each.state.client_id, 0))
        owners = {stream: self._messages[stream] for stream in streams if stream in self._messages}
        for stream, (number, contact_id) in parts.items():
            if number in self._campaigns:
                owners[stream] = self._campaigns[number]._replace(contact_id=contact_id)
        return owners

    def _load_contacts(self, events: Iterable[MailEvent], owners: dict[UUID, Owner]) -> dict[int, Contact]:
        """The contacts that an event may suppress, or whose clicks may bear an address no more."""
        numbers = list(
            {
                owners[event.stream].contact_id
                for event in events
                if event.stream in owners and (event.suppresses or event.url)
            }
        )
        loaded = self._store.load(contact.decider, numbers=numbers) if numbers else []
        return {number: each.state for number, each in zip(numbers, loaded, strict=True)}

    def _suppress(
        self,
        told: Sequence[Told],
        states: dict[UUID, Message],
        owners: dict[UUID, Owner],
        contacts: dict[int, Contact],
    ) -> dict[int, Failed]:
        """Suppress first, record second: told again after a crash in between, the event does both again.

        An event that the message has seen suppresses nobody, who may have been let in again since.
        """
        orders: dict[int, Order] = {}
        for place, each in enumerate(told):
            stream = each.event.stream
            if stream is None or stream not in owners or not each.event.suppresses:
                continue
            state, owner = states[stream], owners[stream]
            if state.status is None or fingerprint(each.event.event_id) in state.seen:
                continue
            said = suppression(each.event, contacts[owner.contact_id], owner.organization_id)
            if said is not None:
                context = _context(owner, each)
                orders[place] = Order(decider=contact.decider, number=owner.contact_id, command=said, context=context)
        outcomes = self._store.handle(*orders.values()) if orders else []
        return {place: outcome for place, outcome in zip(orders, outcomes, strict=True) if isinstance(outcome, Failed)}


def _is_transactional(stream: UUID) -> bool:
    return stream.int >> m.KIND_BITS == m.transactional.kind


def decider_of(stream: UUID) -> Decider[Message]:
    """The rules of the kind that the stream is."""
    return m.transactional if _is_transactional(stream) else m.of_campaign


def _context(owner: Owner, told: Told) -> Context:
    return Context(
        organization_id=owner.organization_id,
        client_id=owner.client_id,
        correlation_id=told.correlation_id,
        source=told.source,
    )


def _recording(told: Told, owner: Owner, contacts: dict[int, Contact]) -> Order:
    """The message's own fact. After an erasure nothing new is kept of where the person goes."""
    event = told.event
    stream = event.stream or UUID(int=0)
    known = contacts.get(owner.contact_id)
    related = known is not None and owner.organization_id in known.organizations
    return Order(
        decider=decider_of(stream),
        number=stream.int & NUMBER,
        command=command(event, url=event.url if related and event.url else None),
        context=_context(owner, told),
        contact_id=owner.contact_id,
    )


def _verdict(outcome: Outcome | None, source: str) -> Verdict | Failed:
    """No order, or one that the message refused, says that there is no such message."""
    if isinstance(outcome, Failed):
        return outcome
    if isinstance(outcome, Accepted):
        return "recorded"
    return "kept" if source == "ses" else "unknown"


def _remember(memory: dict[Name, Owner], name: Name, owner: Owner) -> None:
    if len(memory) >= REMEMBERED:
        memory.pop(next(iter(memory)))
    memory[name] = owner
