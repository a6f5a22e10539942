"""A contact at moments of its history: as of one, and what is different between two."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from itertools import accumulate, islice
from typing import NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.cloud_events import audience_slugs
from api.contacts import names
from api.errors import Invalid, not_found
from api.fields import Scoped
from api.moments import check_reached, is_later, moment
from domain import contact as c
from domain.contact import view
from domain.contact.changes import Change, changes, folded
from domain.contact.disclosure import disclosed, last_erasure
from domain.store.cloud_event import CloudEvent, cloud_event
from domain.store.history import Moment, Opened, Stream, known_by, read_stream
from domain.store.log import Store
from domain.store.recorded import Recorded


class ContactAsOf(Scoped, kw_only=True):
    """``as_of`` is a time (ISO 8601) or a log position; without it, now."""

    as_of: str | UnsetType = UNSET


class ContactThen(view.ContactPayload, frozen=True, kw_only=True):
    """The contact payload as of a moment; ``position`` is a log position with the same answer."""

    as_of: Moment | None
    position: int


class ContactBetween(Scoped, kw_only=True):
    """Two moments, each a time (ISO 8601) or a log position; without ``to``, up to now."""

    begin: str = msgspec.field(name="from")
    to: str | UnsetType = UNSET


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A moment, a log position with the same answer, and whether the contact existed for the client."""

    as_of: Moment | None
    position: int
    exists: bool


class ContactChanges(msgspec.Struct, frozen=True, kw_only=True):
    """The payload's fields that differ between the moments, and the events between them that the client may see."""

    contact_id: int
    audience: str
    client: str
    begin: Shown = msgspec.field(name="from")
    to: Shown
    changes: list[Change]
    events: list[CloudEvent]


class Then(NamedTuple):
    """A contact at a moment: the events until then, what it looks like, and a position with the same answer."""

    events: Sequence[Opened]
    payload: view.ContactPayload
    position: int


class Difference(NamedTuple):
    """Two moments of a contact, the payload's fields that differ, and the events between."""

    before: Then
    after: Then
    changes: list[Change]
    events: Sequence[Opened]


class Watched(NamedTuple):
    """A contact that exists for a client or did, with its whole history.

    Up to its erasure by the client's organization, at position ``erased``, there was nobody.
    """

    number: int
    email: str
    scope: view.Names
    stream: Stream
    organization_id: int
    erased: int

    def at(self, when: Moment | None, field: str) -> Then:
        """The contact at a moment, None being now. It shows as absent where it had no subscription in the scope.

        Raises Invalid ``invalid`` on the field for a position past the end of the log.
        """
        check_reached(when, field, self.stream.head)
        events = self.stream.events if when is None else known_by(self.stream.events, when)
        state = folded(event for _, event in events)
        since = events[-1][0].position if events else 0
        if since > self.erased and view.has_subscription(state, self.scope.audience_id, self.scope.client_id):
            payload = view.payload(state, self.number, self.scope, email=self.email)
        else:
            payload = view.absent(self.email, self.scope, tags=True)
        if isinstance(when, datetime):
            return Then(events, payload, events[-1][0].position if events else 0)
        return Then(events, payload, self.stream.head if when is None else when)

    def between(self, begin: Moment | None, end: Moment | None) -> Difference:
        """What became different. Raises Invalid on ``from`` and ``to``, on ``to`` also when it is the earlier one."""
        before, after = self.at(begin, "from"), self.at(end, "to")
        if is_later(begin, end) or len(after.events) < len(before.events):
            raise Invalid({"to": "invalid"})
        new = [opened for opened in after.events[len(before.events) :] if self.knows(opened[0])]
        return Difference(before, after, changes(before.payload, after.payload), new)

    def knows(self, recorded: Recorded) -> bool:
        """Whether an event is not one of those that the organization erased."""
        return recorded.organization_id != self.organization_id or recorded.position > self.erased


def watched(store: Store, number: int, scope: view.Names, organization_id: int) -> Watched:
    """The contact of a number, which may be gone from the scope by an import that was undone.

    Raises Invalid ``not_found`` when it never existed for the client, or was erased since; Unavailable.
    """
    stream = read_stream(store, c.decider.kind, number)
    events = [event for _, event in stream.events]
    erased = last_erasure(events, organization_id)
    states = accumulate(events, c.evolve, initial=c.Contact())
    later = islice(states, erased + 2, None)
    if not any(view.has_subscription(state, scope.audience_id, scope.client_id) for state in later):
        raise not_found("contact_id")
    email = c.text_of(folded(events).email)
    at = stream.events[erased][0].position if erased >= 0 else 0
    return Watched(number, email, scope, stream, organization_id, at)


async def as_of(call: Call, given: ContactAsOf) -> Answer:
    """The contact as it was at a time or log position, rebuilt from the log."""
    when = moment(given.as_of, "as_of", call.now)
    contact = await watched_by(call)
    then = contact.at(when, "as_of")
    answer = ContactThen(**msgspec.structs.asdict(then.payload), as_of=when, position=then.position)
    return json_answer(answer, position=then.position)


async def watched_by(call: Call) -> Watched:
    """The contact that the path names, as the caller may see it. Raises Invalid ``not_found``, Unavailable."""
    number, organization_id = call.number("contact_id"), call.caller.organization_id
    return await asyncio.to_thread(watched, call.wiring.store, number, names(call), organization_id)


async def between(call: Call, given: ContactBetween) -> Answer:
    """What is different about the contact between two moments, and the events that made it so."""
    begin, end = moment(given.begin, "from", call.now), moment(given.to, "to", call.now)
    contact = await watched_by(call)
    difference = contact.between(begin, end)
    answer = ContactChanges(
        contact_id=contact.number,
        audience=contact.scope.audience,
        client=contact.scope.client,
        begin=shown(begin, difference.before),
        to=shown(end, difference.after),
        changes=difference.changes,
        events=visible(difference.events, call.caller.organization_id, audience_slugs(call.wiring.directory.now)),
    )
    return json_answer(answer, position=contact.stream.head)


def shown(when: Moment | None, then: Then) -> Shown:
    """A moment in the answer."""
    return Shown(as_of=when, position=then.position, exists=then.payload.exists)


def visible(events: Iterable[Opened], organization_id: int, audiences: Mapping[int, str]) -> list[CloudEvent]:
    """The events that an organization may see."""
    return [
        cloud_event(recorded, seen, audiences, whole=recorded.organization_id == organization_id)
        for recorded, event in events
        if (seen := disclosed(event, recorded_by=recorded.organization_id, to=organization_id)) is not None
    ]
