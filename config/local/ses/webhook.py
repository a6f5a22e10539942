"""Posts SNS messages to the service's webhook, over connections that stay open."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from http.client import BadStatusLine, HTTPConnection, HTTPException
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
        connection = self._connection(parts.netloc)
        was_open = connection.sock is not None
        try:
            return _exchange(connection, path, body, headers)
        except (ConnectionError, BadStatusLine) as error:  # a connection that was kept open may have ended meanwhile
            connection.close()
            if not was_open:
                raise UnreachableError from error
        except (OSError, HTTPException) as error:
            connection.close()
            raise UnreachableError from error
        try:
            return _exchange(connection, path, body, headers)
        except (OSError, HTTPException) as error:
            connection.close()
            raise UnreachableError from error

    def _connection(self, address: str) -> HTTPConnection:
        kept: dict[str, HTTPConnection] = self._local.__dict__.setdefault("kept", {})
        if address not in kept:
            kept[address] = HTTPConnection(address, timeout=TIMEOUT_SECONDS)
        return kept[address]


def _exchange(connection: HTTPConnection, path: str, body: bytes, headers: dict[str, str]) -> int:
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    answer.read()
    return answer.status
