"""One keep-alive connection: a request at a time, and just enough of HTTP/1.1 to know where its answer ends."""

from __future__ import annotations

import socket

LOOPBACK = "127.0.0.1"
CONNECT_SECONDS = 5.0
RECEIVE = 1 << 14
"""Bytes: much more than an answer costs more to allocate than to read."""
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length:"
POSITION = b"datamailer-position:"


class BadAnswerError(Exception):
    """The answer is not one that this client reads: it must say its length."""


class Connection:
    """``began`` is when the exchange under way was due; ``following`` that its second request was sent."""

    __slots__ = ("_buffer", "_needed", "began", "following", "socket")

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((LOOPBACK, port), timeout=CONNECT_SECONDS)
        self.socket.settimeout(None)  # with a timeout every call waits for the socket first, one system call more
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.following = False
        self._buffer = b""
        self._needed = 0

    def send(self, request: bytes) -> None:
        """Send a request. Raises OSError."""
        self._buffer, self._needed = b"", 0
        self.socket.sendall(request)

    def receive(self) -> bytes | None:
        """The whole answer, once all of it is there. Raises OSError, and BadAnswerError."""
        data = self.socket.recv(RECEIVE)
        if not data:
            raise ConnectionResetError
        self._buffer = self._buffer + data if self._buffer else data
        if not self._needed:
            end = self._buffer.find(HEAD_END)
            if end < 0:
                return None
            length = header(self._buffer, LENGTH)
            if length is None:
                raise BadAnswerError(self._buffer[: end + len(HEAD_END)])
            self._needed = end + len(HEAD_END) + length
        return self._buffer if len(self._buffer) >= self._needed else None


def status_of(answer: bytes) -> int:
    """The status code of an answer: ``HTTP/1.1 200 OK``."""
    return int(answer[9:12])


def header(answer: bytes, name: bytes) -> int | None:
    """The number in a header, named in lower case with its colon; None without it, or when it is no number."""
    start = answer.find(name)
    if start < 0:
        head = answer.partition(HEAD_END)[0].lower()
        start = head.find(name)
        if start < 0:
            return None
    digits = answer[start + len(name) : answer.find(b"\r", start)].strip()
    return int(digits) if digits.isdigit() else None
