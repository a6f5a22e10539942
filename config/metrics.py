"""Counts and times requests cheaply, and hands the figures to Prometheus when it asks."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate

from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


class Histogram:
    """Counts values into buckets. Not locked: one thread observes, and a reader may be one value behind."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def buckets(self) -> list[tuple[str, float]]:
        """Prometheus' cumulative buckets."""
        names = [*(str(bound) for bound in self.bounds), "+Inf"]
        return [(name, float(count)) for name, count in zip(names, accumulate(self.counts), strict=True)]


class RequestMetrics(Collector):
    """HTTP requests by route, method and status, and how long each route took, in seconds."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str, int], int] = {}
        self._times: dict[tuple[str, str], Histogram] = {}

    def observe(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count one answered request under its route's template."""
        key = (route, method, status)
        self._counts[key] = self._counts.get(key, 0) + 1
        times = self._times.get((route, method))
        if times is None:
            times = self._times[route, method] = Histogram(SECONDS)
        times.observe(seconds)

    def collect(self) -> Iterable[Metric]:
        """The figures so far."""
        counts = CounterMetricFamily(
            "datamailer_http_requests", "HTTP requests answered.", labels=("route", "method", "status")
        )
        for (route, method, status), count in list(self._counts.items()):
            counts.add_metric((route, method, str(status)), count)
        yield counts
        times = HistogramMetricFamily(
            "datamailer_http_request_seconds", "Time from request to answer.", labels=("route", "method")
        )
        for key, histogram in list(self._times.items()):
            times.add_metric(key, histogram.buckets(), histogram.total)
        yield times
