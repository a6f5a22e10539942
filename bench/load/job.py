"""What a load process is told to send, and what it reports."""

from __future__ import annotations

import msgspec


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Requests, rendered beforehand, and how to send them.

    Without a ``rate`` each connection sends its next request as soon as it has its answer. With one, requests are due
    at even times (so many per second) and wait for a connection when all are busy; their latency counts from when they
    were due. The end comes with the last request (unless they ``repeat``), after ``seconds``, or when stdin is closed.

    ``follow`` makes an exchange of two: a second request, with ``%d`` for the answer's ``Datamailer-Position``; the
    latency is then that of both.
    """

    port: int
    requests: list[bytes]
    connections: int = 32
    repeat: bool = False
    seconds: float
    rate: float | None = None
    follow: bytes | None = None


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What came back. Latencies are in milliseconds, of the good answers; ``cpu_seconds`` are the client's own.

    ``statuses`` counts the answers; status 0 is a lost connection or an answer that never came. ``first_bad`` is the
    beginning of the first answer that was not 2xx.
    """

    good: int
    statuses: dict[int, int]
    seconds: float
    p50: float
    p99: float
    worst: float
    cpu_seconds: float
    first_bad: str = ""

    @property
    def bad(self) -> int:
        """Answers that were not 2xx, and those that never came."""
        return sum(count for status, count in self.statuses.items() if not 200 <= status < 300)

    @property
    def per_second(self) -> float:
        """Good answers per second."""
        return self.good / self.seconds if self.seconds else 0.0


def percentile(ordered: list[float], share: float) -> float:
    """The value below which that share of the sorted values lies; 0 of none."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] if ordered else 0.0
