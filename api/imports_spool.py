"""Bytes about persons that are too many for memory: they go to a file without a name, sealed under a key only here."""

from __future__ import annotations

from collections.abc import Iterator
from os import urandom
from tempfile import TemporaryFile
from typing import IO

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

BLOCK = 256 * 1024
"""Bytes that are sealed together; as many stay in memory."""

NONCE_BYTES = 12
TAG_BYTES = 16


class Spool:
    """Written once from the front, then read any number of times. What is on disk is unreadable when it is let go."""

    def __init__(self) -> None:
        self.size = 0
        self._cipher = AESGCM(urandom(32))
        self._tail = bytearray()
        self._file: IO[bytes] | None = None
        self._blocks = 0

    def __del__(self) -> None:
        """Let go of everything, should nobody have done so: a client may hang up before its answer begins."""
        self.close()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Add bytes at the end. Raises OSError when the disk is full."""
        self.size += len(data)
        self._tail += data
        while len(self._tail) > BLOCK:
            self._store(bytes(self._tail[:BLOCK]))
            del self._tail[:BLOCK]

    def blocks(self) -> Iterator[bytes]:
        """All that was written, block by block."""
        for number in range(self._blocks):
            yield self._load(number)
        if self._tail:
            yield bytes(self._tail)

    def close(self) -> None:
        """Let go of everything."""
        self._tail.clear()
        self._blocks = 0
        if self._file is not None:
            self._file.close()
            self._file = None

    def _store(self, block: bytes) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - it lives as long as the spool
        self._file.write(self._cipher.encrypt(self._nonce(self._blocks), block, None))
        self._blocks += 1

    def _load(self, number: int) -> bytes:
        if self._file is None:
            return b""
        self._file.seek(number * (BLOCK + TAG_BYTES))
        return self._cipher.decrypt(self._nonce(number), self._file.read(BLOCK + TAG_BYTES), None)

    def _nonce(self, number: int) -> bytes:
        """The block's number: every spool has a key of its own, and writes no block twice."""
        return number.to_bytes(NONCE_BYTES)
