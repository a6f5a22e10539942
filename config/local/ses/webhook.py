"""Posts SNS messages to the service's webhook, over connections that stay open."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

import msgspec

from config.local.ses.sns import Envelope, http_headers

THREADS: Final = 8
TIMEOUT_SECONDS: Final = 15.0
"""SNS developer guide, "Message delivery retries": an endpoint that takes longer has failed."""


class UnreachableError(Exception):
    """Nobody answered at the webhook's address."""


class Webhook:
    """The endpoint that is subscribed to the topic."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._local = threading.local()

    async def post(self, envelope: Envelope, url: str = "") -> int:
        """Post an envelope, to `url` if given, and return the status; raise `UnreachableError` without an answer."""
        body, headers = msgspec.json.encode(envelope), http_headers(envelope)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._pool, self._post, url or self.url, body, headers)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        parts = urlsplit(url)
        path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
        for attempt in ("kept", "new"):
            connection = self._connection(parts.netloc, new=attempt == "new")
            try:
                connection.request("POST", path, body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                connection.close()
                continue  # a connection that was kept open may have ended meanwhile
            return answer.status
        raise UnreachableError

    def _connection(self, address: str, *, new: bool) -> HTTPConnection:
        kept: dict[str, HTTPConnection] = self._local.__dict__.setdefault("kept", {})
        if new or address not in kept:
            kept[address] = HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        return kept[address]
