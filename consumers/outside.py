"""HTTP to hosts that users name: only to addresses that were checked, bounded in time and in bytes.

The name is resolved here, every address of it checked, and the connection goes to a checked address: no second look-up
that could answer otherwise. Redirects are answers like others, and proxies of the environment are not asked.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from threading import Timer
from time import monotonic
from types import MappingProxyType
from typing import Final, Literal, Self

from domain.decider import Rejected
from domain.destination import Destination, destination, reachable

Reason = Literal["unsupported", "forbidden", "unreachable", "too_large", "timed_out"]

NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})
IDLE: Final = 10.0
"""Seconds in which something must come: a connection, the next byte."""
LIMIT: Final = 1 << 20
BLOCK: Final = 1 << 16


class OutsideError(Exception):
    """No answer, or none that is taken.

    `code` is `unsupported` (such a URL is not asked), `forbidden` (its host is none that may be reached),
    `unreachable` (nobody answers, or not in HTTP, or not to the end), `too_large` or `timed_out`.
    """

    def __init__(self, code: Reason) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Response:
    """What a host answered. `headers` has names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Answer:
    """An answer whose body is still to be read."""

    def __init__(self, response: HTTPResponse, watch: Watch, limit: int) -> None:
        self.status = response.status
        self.headers: Mapping[str, str] = {name.lower(): value for name, value in response.getheaders()}
        self._response = response
        self._watch = watch
        self._limit = limit

    def chunks(self) -> Iterator[bytes]:
        """Read the body, once. Raises OutsideError when it is too large, too slow or broken off."""
        length = self._response.length
        if length is not None and length > self._limit:
            raise OutsideError("too_large")
        size = 0
        while chunk := self._next():
            size += len(chunk)
            if size > self._limit:
                raise OutsideError("too_large")
            yield chunk
        if self._response.length:
            raise OutsideError("unreachable")

    def _next(self) -> bytes:
        with self._watch.told():
            chunk = self._response.read1(BLOCK)
        self._watch.check()
        return chunk


class Watch:
    """Cuts a connection off at the end of its time, whatever is being read: a slow drip meets no other time-out."""

    def __init__(self, connection: socket.socket, seconds: float) -> None:
        self._grip = connection.dup()
        self._over = False
        self._timer = Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        self._timer.join()
        self._grip.close()

    def _cut(self) -> None:
        self._over = True
        try:
            self._grip.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it is closed already

    @contextmanager
    def told(self) -> Iterator[None]:
        """Tell what breaks in here as an OutsideError."""
        with _told():
            try:
                yield
            except (OSError, HTTPException):
                if self._over:
                    raise TimeoutError from None
                raise

    def check(self) -> None:
        """Raise OutsideError when time is over: an end that was read may be the cut."""
        if self._over:
            raise OutsideError("timed_out")


class Outside:
    """The way out. `private_hosts` allows loopback and private addresses, and http beside https."""

    def __init__(self, *, private_hosts: bool, trust: ssl.SSLContext | None = None) -> None:
        self._private_hosts = private_hosts
        self._trust = trust or ssl.create_default_context()

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] = NO_HEADERS,
        seconds: float = 10.0,
        limit: int = LIMIT,
    ) -> Response:
        """Ask once and read the whole answer, of at most `limit` bytes, within `seconds`. Raises OutsideError."""
        with self.stream(method, url, body=body, headers=headers, seconds=seconds, limit=limit) as answer:
            return Response(answer.status, answer.headers, b"".join(answer.chunks()))

    @contextmanager
    def stream(
        self,
        method: str,
        url: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] = NO_HEADERS,
        seconds: float,
        limit: int,
    ) -> Iterator[Answer]:
        """Ask once; the answer's body is read inside the `with`, as it comes. Raises OutsideError."""
        until = monotonic() + seconds
        with _told():
            to = destination(url, private_hosts=self._private_hosts)
            plain = self._connected(to, until)
        with plain, Watch(plain, until - monotonic()) as watch:
            with watch.told():
                wrapped = self._trust.wrap_socket(plain, server_hostname=to.host) if to.secure else plain
            with wrapped:
                with watch.told():
                    response = _asked(wrapped, to, method, body, headers)
                with response:
                    watch.check()
                    yield Answer(response, watch, limit)

    def _connected(self, to: Destination, until: float) -> socket.socket:
        """Connect to the first address that takes it. Raises OSError; OutsideError when any address is forbidden."""
        found = socket.getaddrinfo(to.host, to.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not all(reachable(ip_address(address), private_hosts=self._private_hosts) for address in addresses):
            raise OutsideError("forbidden")
        failure = OSError()
        for address in addresses:
            left = min(IDLE, until - monotonic())
            if left <= 0:
                raise TimeoutError
            try:
                connection = socket.create_connection((address, to.port), left)
            except OSError as error:
                failure = error
            else:
                connection.settimeout(IDLE)
                return connection
        raise failure


def _asked(
    connection: socket.socket, to: Destination, method: str, body: bytes, headers: Mapping[str, str]
) -> HTTPResponse:
    """Send the request over the connection, and read the head of the answer."""
    http = HTTPConnection(to.host, to.port)
    http.sock = connection
    given = {"Host": to.authority, "Accept-Encoding": "identity", "Connection": "close", **headers}
    http.request(method, to.target, body=body or None, headers=given)
    return http.getresponse()


@contextmanager
def _told() -> Iterator[None]:
    """Raise what goes wrong on the way as an OutsideError, without a word of the other side's."""
    try:
        yield
    except Rejected as refusal:
        code: Reason = "forbidden" if "forbidden" in refusal.fields.values() else "unsupported"
        raise OutsideError(code) from None
    except TimeoutError:
        raise OutsideError("timed_out") from None
    except (OSError, HTTPException, UnicodeError):
        raise OutsideError("unreachable") from None
