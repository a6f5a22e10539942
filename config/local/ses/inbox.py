"""All accepted mail in memory, found by address at once; old bodies are let go so that big runs stay small."""

import asyncio
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from typing import Final

from config.local.ses.mail import Mail

OVERHEAD: Final = 2048
"""Bytes that a mail takes beside its bodies, roughly: headers, tags, addresses."""


class Inbox:
    """Mail in the order of its acceptance; only the newest `keep` mails, and `keep_bytes` of them, have their content.

    A mail without content keeps its envelope, subject and tags. Mail that failed to render is found by its id alone.
    """

    def __init__(self, keep: int, keep_bytes: int) -> None:
        self._keep = keep
        self._keep_bytes = keep_bytes
        self._waiting: set[asyncio.Future[None]] = set()
        self._clear()

    def _clear(self) -> None:
        self._mails: list[Mail] = []
        self._by_id: dict[str, Mail] = {}
        self._by_address: dict[str, list[Mail]] = {}
        self._whole: deque[Mail] = deque()
        self._bytes = 0
        self.sent = 0

    def accept(self, mail: Mail) -> None:
        """Put a mail in; wake whoever waits for one."""
        self.sent += len(mail.addresses)
        self._by_id[mail.message_id] = mail
        if mail.failure is None:
            self._mails.append(mail)
            for address in mail.addresses:
                self._by_address.setdefault(address, []).append(mail)
        self._whole.append(mail)
        self._bytes += mail.size + OVERHEAD
        while len(self._whole) > self._keep or self._bytes > self._keep_bytes:
            oldest = self._whole.popleft()
            oldest.drop_content()
            self._bytes -= oldest.size + OVERHEAD
        for future in self._waiting:
            if not future.done():
                future.set_result(None)

    def find(self, message_id: str) -> Mail | None:
        """Return the mail of that id; None when there is none."""
        return self._by_id.get(message_id)

    def count(self, to: str | None = None) -> int:
        """Return how many mails there are, or how many went to an address in small letters."""
        return len(self._among(to))

    def select(self, to: str | None = None, offset: int = 0, limit: int | None = None) -> list[Mail]:
        """Return mails in the order of their acceptance."""
        return list(islice(self._among(to), offset, None if limit is None else offset + limit))

    def empty(self) -> None:
        """Forget all mail, and how much was sent."""
        self._clear()

    async def until(self, to: str | None, at_least: int, seconds: float) -> None:
        """Return once there are `at_least` mails, to that address if given, or when the time is over."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.count(to) < at_least:
                    await self._next()

    async def _next(self) -> None:
        future = asyncio.get_running_loop().create_future()
        self._waiting.add(future)
        try:
            await future
        finally:
            self._waiting.discard(future)

    def _among(self, to: str | None) -> Sequence[Mail]:
        return self._mails if to is None else self._by_address.get(to, ())
