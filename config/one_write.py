"""Sends the head and the body of an answer in one system call, where uvicorn makes two."""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HELD_BYTES = 64 * 1024
"""Bytes from which waiting for more is no use."""


class OneWrite:
    """A transport that holds what is written until the event loop's next turn. Everything else is the transport's."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._held: list[bytes | bytearray | memoryview] = []
        self._bytes = 0
        self._call_soon = asyncio.get_running_loop().call_soon
        self.is_closing = transport.is_closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Hold the data, or write it with what is held when that is much."""
        if not self._held:
            self._call_soon(self._flush)
        self._held.append(data)
        self._bytes += len(data)
        if self._bytes >= HELD_BYTES:
            self._flush()

    def _flush(self) -> None:
        if self._held:
            held, self._held, self._bytes = self._held, [], 0
            self._transport.write(b"".join(held))

    def close(self) -> None:
        """Write what is held, then close."""
        self._flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class Protocol(HttpToolsProtocol):
    """Uvicorn's HTTP over httptools, with answers written at once."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection."""
        super().connection_made(cast("asyncio.Transport", OneWrite(cast("asyncio.Transport", transport))))
