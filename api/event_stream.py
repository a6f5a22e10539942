"""Server-sent events that follow the log live (WHATWG HTML, section 9.2), resumed by Last-Event-ID."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack
from typing import Final

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from api.answer import ENCODER
from api.call import Call
from api.cloud_events import cloud_events
from api.errors import ApiError
from api.listener import heard
from domain.store.history import Page
from domain.store.order import Unavailable

AT_A_TIME: Final = 100
"""Events that are in memory for one stream; the next are read when the client took these."""

LOOK_SECONDS: Final = 1.0
"""How long a stream outlives its key."""

HEARTBEAT_SECONDS = 15.0
"""Silence after which a comment keeps proxies from closing the connection."""

HEADERS: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
MEDIA_TYPE: Final = "text/event-stream"


class EventStream(StreamingResponse):
    """The caller's events after a position, until it leaves, loses its key, or the server stops."""

    def __init__(self, call: Call, after: int, topics: Sequence[str]) -> None:
        """Take a seat. Raises ApiError 429 when the client has too many streams."""
        self._call = call
        self._topics = topics
        self._seat = ExitStack()
        self._bell = self._seat.enter_context(call.wiring.following.seat(call.caller.number))
        super().__init__(self._follow(after), media_type=MEDIA_TYPE, headers=HEADERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream, and give the seat back however it ends."""
        with self._seat:
            await super().__call__(scope, receive, send)

    async def _follow(self, after: int) -> AsyncIterator[bytes]:
        yield b": events follow\n\n"
        clock = asyncio.get_running_loop().time
        quiet_since, news = clock(), True
        while not self._call.wiring.following.closed and self._is_welcome():
            ring = self._bell.next_ring()
            if news and (page := await self._read(after)):
                after = page.through
                if page.events:
                    yield self._encoded(page)
                    quiet_since = clock()
                if page.through < page.head:
                    continue
                news = False
            elif clock() - quiet_since >= HEARTBEAT_SECONDS:
                yield b":\n\n"
                quiet_since = clock()
            news = await heard(ring, LOOK_SECONDS) or ring.is_set() or news

    def _is_welcome(self) -> bool:
        """Whether the key still opens what it did."""
        try:
            self._call.wiring.auth.client(self._call.header(b"authorization"))
        except ApiError:
            return False
        return True

    async def _read(self, after: int) -> Page | None:
        """What came since; None when the store cannot be reached now."""
        try:
            return await self._call.wiring.following.read(self._call.caller.number, after, AT_A_TIME, self._topics)
        except Unavailable:
            return None

    def _encoded(self, page: Page) -> bytes:
        """A message for each event; its id is the position that a reconnecting client goes on from."""
        shown = cloud_events(page.events, self._call.wiring.directory.now)
        return b"".join(b"id: %d\ndata: %b\n\n" % (event.position, ENCODER.encode(event)) for event in shown)
