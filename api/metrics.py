"""The figures of the service for Prometheus: its requests and appends, and how far behind the log everything is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import psycopg
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from api.answer import Answer
from api.call import Call
from api.health import lags
from api.positions import Pool
from api.wiring import Wiring
from projections.checkpoint import Lag

HEAD = "SELECT coalesce(max(notification_id), 0) FROM log"
# Counted up to a hundred thousand: a figure beyond that says nothing more.
DELIVERIES = """
SELECT count(*), coalesce(extract(epoch FROM now() - min(next_at)), 0)::float8,
    coalesce((SELECT max(notification_id) FROM log), 0) - coalesce((SELECT position FROM webhook_progress), 0)
FROM (SELECT next_at FROM webhook_deliveries WHERE dead_at IS NULL AND next_at <= now() LIMIT 100000) AS due
"""
DEAD = """
SELECT (SELECT count(*) FROM webhook_deliveries WHERE dead_at IS NOT NULL),
    (SELECT count(*) FROM waiting_feedback WHERE given_up_at IS NOT NULL),
    (SELECT count(*) FROM checkpoints WHERE parked_position IS NOT NULL)
"""
KINDS = ("webhook", "feedback", "projection")


class Outgoing(NamedTuple):
    """Deliveries to webhooks that are due, for how long the first of them is, events that were not handed out to
    webhooks yet, and what was given up by kind.
    """

    due: int
    seconds: float
    behind: int
    dead: tuple[int, ...]


class Figures(Collector):
    """The store's figures at one moment; without any, it could not be reached."""

    def __init__(self, wiring: Wiring, head: int | None, found: list[Lag], outgoing: Outgoing | None) -> None:
        self._flushes = wiring.flushes
        self._head = head
        self._lags = found
        self._outgoing = outgoing

    def collect(self) -> Iterable[Metric]:
        """Prometheus' families."""
        yield GaugeMetricFamily("datamailer_store_up", "1 while the store answers.", value=self._head is not None)
        if self._head is not None:
            yield GaugeMetricFamily("datamailer_log_position", "Position of the log's last event.", value=self._head)
        events = GaugeMetricFamily("datamailer_lag_events", "Events not yet taken in.", labels=("follower",))
        seconds = GaugeMetricFamily("datamailer_lag_seconds", "Age of the oldest of them.", labels=("follower",))
        parked = GaugeMetricFamily("datamailer_parked", "1 while stopped at an event.", labels=("follower",))
        for lag in self._lags:
            events.add_metric((lag.name,), lag.events)
            seconds.add_metric((lag.name,), lag.seconds)
            parked.add_metric((lag.name,), lag.parked_position is not None)
        yield from (events, seconds, parked)
        yield from self._deliveries()
        flushes = HistogramMetricFamily("datamailer_append_commands", "Commands decided and appended together.")
        flushes.add_metric((), self._flushes.buckets(), self._flushes.total)
        yield flushes

    def _deliveries(self) -> Iterable[Metric]:
        if self._outgoing is None:
            return
        due, seconds, behind, dead = self._outgoing
        yield GaugeMetricFamily(
            "datamailer_webhook_events_behind", "Events not yet handed out to webhooks.", value=behind
        )
        yield GaugeMetricFamily("datamailer_webhook_deliveries_due", "Deliveries to be attempted now.", value=due)
        yield GaugeMetricFamily("datamailer_webhook_due_seconds", "For how long the first of them is.", value=seconds)
        letters = GaugeMetricFamily("datamailer_dead_letters", "What was given up.", labels=("kind",))
        for kind, count in zip(KINDS, dead, strict=True):
            letters.add_metric((kind,), count)
        yield letters


async def metrics(call: Call) -> Answer:
    """Figures in Prometheus' text format."""
    registry = CollectorRegistry()
    registry.register(call.wiring.requests)
    registry.register(await figures(call.wiring, call.wiring.reads))
    for collector in (ProcessCollector, PlatformCollector, GCCollector):
        collector(registry=registry)
    return Answer(body=generate_latest(registry), content_type=CONTENT_TYPE_LATEST.encode())


async def figures(wiring: Wiring, pool: Pool) -> Figures:
    """The store's figures now."""
    try:
        async with pool.connection() as connection:
            row = await (await connection.execute(HEAD)).fetchone()
            due = await (await connection.execute(DELIVERIES)).fetchone()
            dead = await (await connection.execute(DEAD)).fetchone()
        outgoing = Outgoing(due[0], due[1], due[2], tuple(dead)) if due and dead else None
        return Figures(wiring, int(row[0]) if row else 0, await lags(pool), outgoing)
    except psycopg.OperationalError:
        return Figures(wiring, None, [], None)
