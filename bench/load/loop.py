"""Sends a job's requests over its connections and times the answers."""

from __future__ import annotations

import selectors
from collections.abc import Iterator
from io import FileIO
from itertools import cycle
from time import perf_counter, process_time

from bench.load.connection import POSITION, BadAnswerError, Connection, header, status_of
from bench.load.job import Job, Report, percentile

LAST_ANSWERS_SECONDS = 10.0
SHOWN = 300
OK = range(200, 300)


class Loop:
    """One job from its first request to its last answer. ``stop`` becomes readable when the job shall end."""

    def __init__(self, job: Job, stop: FileIO | None = None) -> None:
        self._job = job
        self._selector = selectors.DefaultSelector()
        self._idle = [Connection(job.port) for _ in range(job.connections)]
        for connection in self._idle:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        if stop is not None:
            self._selector.register(stop, selectors.EVENT_READ, None)
        self._requests: Iterator[bytes] = iter(cycle(job.requests) if job.repeat else job.requests)
        self._busy = 0
        self._sent = 0
        self._over = False
        self._latencies: list[float] = []
        self._statuses: dict[int, int] = {}
        self._first_bad = ""

    def run(self) -> Report:
        """Send, and wait for the last answers."""
        cpu, began = process_time(), perf_counter()
        deadline = began + self._job.seconds
        while True:
            self._send_due(began, perf_counter())
            if self._over and not self._busy:
                break
            now = perf_counter()
            if now > deadline:
                self._over = True
            if now > deadline + LAST_ANSWERS_SECONDS:
                self._count(0, b"no answer", self._busy)
                break
            for key, _ in self._selector.select(self._pause(began, now, deadline)):
                self._on_readable(key.data, began)
        return self._report(perf_counter() - began, process_time() - cpu)

    def _due(self, began: float) -> float:
        """When the next request is due."""
        return began + self._sent / self._job.rate if self._job.rate else began

    def _pause(self, began: float, now: float, deadline: float) -> float:
        if not self._over and self._idle and self._job.rate:
            return max(min(self._due(began), deadline) - now, 0)
        return max(deadline - now, 0.05)

    def _send_due(self, began: float, now: float) -> None:
        while self._idle and not self._over and (due := self._due(began)) <= now:
            request = next(self._requests, None)
            if request is None:
                self._over = True
                return
            self._sent += 1
            connection = self._idle.pop()
            connection.began = due if self._job.rate else perf_counter()
            connection.following = False
            self._busy += 1
            self._send(connection, request)

    def _send(self, connection: Connection, request: bytes) -> None:
        try:
            connection.send(request)
        except OSError as error:
            self._lose(connection, error)

    def _on_readable(self, connection: Connection | None, began: float) -> None:
        if connection is None:
            self._over = True
            return
        try:
            answer = connection.receive()
        except (OSError, BadAnswerError) as error:
            self._lose(connection, error)
            return
        if answer is None:
            return
        status = status_of(answer)
        if status in OK and self._job.follow is not None and not connection.following:
            connection.following = True
            self._send(connection, self._job.follow % (header(answer, POSITION) or 0))
            return
        now = perf_counter()
        self._count(status, answer)
        if status in OK:
            self._latencies.append(now - connection.began)
        self._busy -= 1
        self._idle.append(connection)
        self._send_due(began, now)

    def _lose(self, connection: Connection, error: Exception) -> None:
        """Go on without the connection; without any, come to the end."""
        self._selector.unregister(connection.socket)
        connection.socket.close()
        self._busy -= 1
        self._count(0, repr(error).encode())
        self._over = self._over or not (self._busy or self._idle)

    def _count(self, status: int, answer: bytes, times: int = 1) -> None:
        self._statuses[status] = self._statuses.get(status, 0) + times
        if status not in OK and not self._first_bad:
            self._first_bad = answer[:SHOWN].decode(errors="replace")

    def _report(self, seconds: float, cpu_seconds: float) -> Report:
        self._selector.close()
        ordered = sorted(latency * 1000 for latency in self._latencies)
        return Report(
            good=len(ordered),
            statuses=self._statuses,
            seconds=seconds,
            p50=percentile(ordered, 0.5),
            p99=percentile(ordered, 0.99),
            worst=ordered[-1] if ordered else 0.0,
            cpu_seconds=cpu_seconds,
            first_bad=self._first_bad,
        )
