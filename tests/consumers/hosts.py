"""A web server on loopback, as users name one: each path answers as a test says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event as Flag
from threading import Thread

Page = Callable[["Asked"], object]


class Asked(BaseHTTPRequestHandler):
    """One request to the host, and the way to answer it."""

    server: Host
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.server.asked.append(f"{self.command} {self.path}")
        self.close_connection = True
        try:
            self.server.pages[self.path.partition("?")[0]](self)
        except OSError:
            return  # the client has gone

    do_GET = do_POST = answer  # noqa: N815

    def say(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def drip(self, byte: bytes) -> None:
        """Write a byte now and then until the client goes or the test ends."""
        while not self.server.over.wait(0.02):
            self.wfile.write(byte)
            self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


class Host(ThreadingHTTPServer):
    """The server: `pages` by path, and what was asked of it."""

    daemon_threads = True
    scheme = "http"

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Asked)
        self.pages: dict[str, Page] = {}
        self.asked: list[str] = []
        self.over = Flag()

    def url(self, path: str, host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.server_port}{path}"

    def handle_error(self, *_: object) -> None:
        """A client that breaks off is what some tests are about."""


@contextmanager
def serving(secure: ssl.SSLContext | None = None) -> Iterator[Host]:
    """A host that serves until the end of the block."""
    with Host() as host:
        if secure:
            host.scheme = "https"
            host.socket = secure.wrap_socket(host.socket, server_side=True)
        thread = Thread(target=host.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield host
        finally:
            host.over.set()
            host.shutdown()
            thread.join()
