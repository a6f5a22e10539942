"""The load client against a small real server."""

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bench.load.job import Job, percentile
from bench.load.process import loading, run
from bench.row import RowFailed
from bench.stand import clean

GOOD = b"GET /good HTTP/1.1\r\nHost: here\r\n\r\n"
BAD = b"GET /bad HTTP/1.1\r\nHost: here\r\n\r\n"
FOLLOW = b"GET /after HTTP/1.1\r\nHost: here\r\nDatamailer-Min-Position: %d\r\n\r\n"


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    heard: list[str]

    def do_GET(self) -> None:
        if self.path == "/gone":
            self.close_connection = True
            return
        self.heard.append(f"{self.path} {self.headers.get('Datamailer-Min-Position', '')}".strip())
        body = b"answer" * 10_000
        self.send_response(500 if self.path == "/bad" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Datamailer-Position", "17")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Server(ThreadingHTTPServer):
    block_on_close = False


@pytest.fixture
def heard() -> list[str]:
    return []


@pytest.fixture
def port(heard: list[str]) -> Iterator[int]:
    handler = type("Handler", (Answering,), {"heard": heard})
    with Server(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_sends_every_request_once_and_reads_whole_answers(port: int, heard: list[str]) -> None:
    requests = [b"GET /%d HTTP/1.1\r\nHost: here\r\n\r\n" % n for n in range(50)]
    report = clean(run(Job(port=port, requests=requests, connections=4, seconds=30)))
    assert report.good == 50
    assert report.statuses == {200: 50}
    assert sorted(heard) == sorted(f"/{n}" for n in range(50))
    assert 0 < report.p50 <= report.p99 <= report.worst
    assert report.per_second == pytest.approx(50 / report.seconds)


def test_counts_what_is_not_2xx_and_fails_the_row(port: int) -> None:
    report = run(Job(port=port, requests=[GOOD, BAD, GOOD], connections=1, seconds=30))
    assert (report.good, report.bad, report.statuses) == (2, 1, {200: 2, 500: 1})
    with pytest.raises(RowFailed, match=re.escape("1 of 3 answers failed: 'HTTP/1.1 500")):
        clean(report)


def test_counts_lost_connections(port: int) -> None:
    gone = b"GET /gone HTTP/1.1\r\nHost: here\r\n\r\n"
    report = run(Job(port=port, requests=[gone, gone, gone], connections=2, seconds=30))
    assert report.statuses == {0: 2}
    assert "ConnectionResetError" in report.first_bad


def test_keeps_to_a_rate(port: int) -> None:
    report = clean(run(Job(port=port, requests=[GOOD] * 20, connections=4, seconds=30, rate=100)))
    assert report.good == 20
    assert report.seconds >= 19 / 100


def test_follows_an_answer_with_its_position(port: int, heard: list[str]) -> None:
    report = clean(run(Job(port=port, requests=[GOOD, GOOD], connections=1, seconds=30, follow=FOLLOW)))
    assert report.good == 2
    assert heard == ["/good", "/after 17", "/good", "/after 17"]


def test_ends_when_told_to(port: int) -> None:
    job = Job(port=port, requests=[GOOD], connections=1, seconds=600, repeat=True, rate=50)
    with loading(job) as process:
        report = process.report(stop=True)
    assert report.seconds < 600


def test_percentiles_of_few_values() -> None:
    assert percentile([], 0.99) == 0
    assert percentile([1.0], 0.99) == 1
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 3
