"""A webhook of SNS on loopback, that keeps what it is sent and answers as it is told."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import msgspec


class Receiver(ThreadingHTTPServer):
    """A webhook that keeps what it is sent; `answers` are the statuses of the next answers, then 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Receive)
        self.received: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[int] = []
        self.hangs_up = False
        self.arrived = threading.Condition()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/webhooks/ses?a=b"

    def wait(self, count: int) -> list[dict[str, Any]]:
        with self.arrived:
            assert self.arrived.wait_for(lambda: len(self.received) >= count, timeout=20)
            return list(self.received)

    def forget(self) -> None:
        with self.arrived:
            self.received.clear()
            self.headers.clear()


class Receive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with self.server.arrived:
            status = self.server.answers.pop(0) if self.server.answers else 200
            self.server.received.append(msgspec.json.decode(body))
            self.server.headers.append(dict(self.headers))
            self.server.arrived.notify_all()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()
        self.close_connection = self.server.hangs_up

    def log_message(self, *_: object) -> None:
        pass
