"""The client's own events in log order: as pages, and as a live stream (contract, Events for analytics)."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response

from api.answer import Answer, json_answer
from api.call import Call
from api.cloud_events import cloud_events
from api.errors import Invalid
from api.event_stream import EventStream
from api.scalars import INTEGER
from domain.catalog import EVENTS
from domain.store.cloud_event import CloudEvent

EVENT_STREAM = "text/event-stream"


def topics_of(types: str | UnsetType) -> tuple[str, ...]:
    """The topics of event names between commas, of every version; none for all. Raises Invalid for an unknown name."""
    if types is UNSET:
        return ()
    wanted = {name.strip() for name in types.split(",") if name.strip()}
    versions = {known.name: known.version for known in EVENTS.values()}
    if not wanted or wanted - versions.keys():
        raise Invalid({"types": "invalid"})
    return tuple(f"{name}@{version}" for name in sorted(wanted) for version in range(1, versions[name] + 1))


class EventQuery(msgspec.Struct, kw_only=True):
    """Events after a position of the log, the first by default; ``types`` are event names separated by commas.

    A position past the end of the log is taken as its end, which ``next`` then says.
    """

    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    types: str | UnsetType = UNSET


class EventPage(msgspec.Struct, frozen=True):
    """Events, and the position to go on from; ``more``: the log went on beyond it when this was read."""

    events: list[CloudEvent]
    next: int
    more: bool


async def events(call: Call, given: EventQuery) -> Answer | Response:
    """Give a page of events, or with ``Accept: text/event-stream`` follow them: every one once, in the log's order."""
    topics = topics_of(given.types)
    if call.method == "GET" and EVENT_STREAM in (call.header(b"accept") or ""):
        return EventStream(call, last_event_id(call, given.after), topics)
    page = await call.wiring.following.read(call.caller.number, given.after, given.limit, topics)
    shown = cloud_events(page.events, call.wiring.directory.now)
    return json_answer(EventPage(shown, page.through, page.through < page.head), position=page.through)


def last_event_id(call: Call, after: int) -> int:
    """Where a stream goes on: after the event that a reconnecting client saw last, else where it asks.

    Raises Invalid for a header that is no position.
    """
    text = (call.header(b"last-event-id") or "").strip()
    if not text:
        return after
    if not INTEGER.fullmatch(text) or int(text) < 0:
        raise Invalid({"Last-Event-ID": "invalid"})
    return int(text)
