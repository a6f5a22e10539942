"""Keeps every read model up with the log."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from threading import Event as Flag
from time import monotonic
from typing import Final, NamedTuple

from consumers.catch_up import catch_up
from consumers.feed import Feed, relayed_division
from consumers.feed_direct import DirectFeed
from consumers.feed_kafka import KafkaFeed
from consumers.follower import Follower, Progress
from consumers.session import WAIT, Connection, connect
from consumers.topics import EVENTS
from domain.store.unsealing import Unsealer
from projections.engine import Applied, Batch, Repartitioned, apply_all
from projections.projection import Projection

NAME: Final = "datamailer.projector"
NOTHING: Final = Applied()

PROGRESS = """
SELECT c.projection, c.partition, c.position, c.parked_position IS NOT NULL, coalesce(p.position, 0)
FROM checkpoints c LEFT JOIN relay_partitions p USING (partition)
"""
RELAYED = "SELECT position, coalesce((SELECT max(notification_id) FROM log), 0) FROM relay"
VERSIONS = "SELECT name, version FROM read_models"

READ_AHEAD: Final = 10_000
"""Events between the relay and the log's end from which it is quicker to read them than to wait for them."""

FLOOD: Final = 2_000
"""Events in the feed's hands from which urgent projections go ahead of the others, by the log itself."""
HURRIED_CHUNKS: Final = 20

log = logging.getLogger(__name__)

OpenFeed = Callable[[Connection, Flag], Feed | None]


class Relayed(NamedTuple):
    """Where the relay is, and where the log ends."""

    position: int
    head: int


def falls_behind(before: Relayed | None, now: Relayed) -> bool:
    """True when the relay stood still though it had events to publish, or has very many: brokers lost, or a flood."""
    stands = before is not None and now.position == before.position < before.head
    return stands or now.head - now.position > READ_AHEAD


def is_flood(batches: Sequence[Batch]) -> bool:
    """True when the feed had so much that there is most likely more."""
    return sum(len(batch.events) for batch in batches) >= FLOOD


class Projector:
    """Runs all projections in one process, each with its own checkpoints: one that parks holds up nobody else."""

    def __init__(
        self, conninfo: str, open_feed: OpenFeed, unsealer: Unsealer, projections: Sequence[Projection]
    ) -> None:
        self._conninfo = conninfo
        self._open_feed = open_feed
        self._unsealer = unsealer
        self._projections = projections
        self._relayed: Relayed | None = None

    def session(self, stop: Flag) -> None:
        """Follow until stopped. Raises psycopg's OperationalError, KafkaError, Repartitioned."""
        with connect(self._conninfo, NAME) as connection:
            feed = self._open_feed(connection, stop)
            if feed is None:
                return
            with closing(feed):
                self._follow(connection, feed, stop)

    def _follow(self, connection: Connection, feed: Feed, stop: Flag) -> None:
        partitions = feed.division.partitions
        followers = self._followers(connection, partitions, [])
        checked = polled = 0.0
        owned: frozenset[int] = frozenset()
        while not stop.is_set():
            batches: list[Batch] = []
            if not all_read_the_log(followers, owned) or monotonic() - polled >= WAIT:
                batches = feed.poll(0 if any(follower.busy for follower in followers) else WAIT)
                owned, polled = feed.owned, monotonic()
            if is_flood(batches) or any(follower.behind for follower in followers):
                self._hurry(connection, [f for f in followers if f.projection.urgent], partitions)
            live = [(follower.projection, follower.live(batches, owned)) for follower in followers]
            applied = apply_all(connection, self._unsealer, live, partitions=partitions)
            for follower in followers:
                follower.took(applied.get(follower.projection.name, NOTHING))
            catch_up(connection, self._unsealer, followers, partitions)
            if monotonic() - checked >= WAIT:
                self._check(connection, feed, followers)
                followers = self._followers(connection, partitions, followers)
                checked = monotonic()

    def _hurry(self, connection: Connection, followers: Sequence[Follower], partitions: int) -> None:
        """Bring these to the log's end, or a good way towards it, while the others wait: a flood is not for them."""
        for follower in followers:
            follower.read_on()
        for _ in range(HURRIED_CHUNKS):
            if not any(follower.behind for follower in followers):
                return
            catch_up(connection, self._unsealer, followers, partitions)

    def _followers(self, connection: Connection, partitions: int, before: Sequence[Follower]) -> list[Follower]:
        """A follower of every projection but those whose tables are of another version: they wait for a rebuild."""
        versions = dict(connection.execute(VERSIONS).fetchall())
        known = {follower.projection.name: follower for follower in before}
        mine = [p for p in self._projections if versions.get(p.name, p.version) == p.version]
        if len(mine) < len(self._projections) and len(mine) != len(before):
            waiting = sorted({p.name for p in self._projections} - {p.name for p in mine})
            log.warning("read models wait for a rebuild", extra={"projections": waiting})
        return [known.get(p.name) or Follower(connection, self._unsealer, p, partitions) for p in mine]

    def _check(self, connection: Connection, feed: Feed, followers: Sequence[Follower]) -> None:
        """Look after what the feed alone would not bring on. Raises Repartitioned when its division is over."""
        if feed.division.generation and relayed_division(connection) != feed.division:
            raise Repartitioned
        rows = defaultdict(list)
        for name, partition, *progress in connection.execute(PROGRESS):
            rows[name].append((partition, Progress(*progress)))
        row = connection.execute(RELAYED).fetchone()
        relayed = Relayed(*row) if row else None
        read_ahead = relayed is not None and falls_behind(self._relayed, relayed)
        self._relayed = relayed
        for follower in followers:
            follower.check(rows[follower.projection.name], read_ahead=read_ahead)


def all_read_the_log(followers: Sequence[Follower], owned: frozenset[int]) -> bool:
    """True when nobody would take what the feed gives; it is then only asked often enough to keep its place."""
    return bool(owned and followers) and all(owned <= follower.behind for follower in followers)


def direct_feed(conninfo: str) -> OpenFeed:
    """Follow the log itself, one process at a time."""
    return lambda _, stop: DirectFeed(conninfo, NAME, stop)


def kafka_feed(servers: str, topic: str = EVENTS, group: str = NAME) -> OpenFeed:
    """Share the topic's partitions with the other processes, once a relay has said how the log is divided."""

    def open_feed(connection: Connection, stop: Flag) -> Feed | None:
        while not stop.is_set():
            division = relayed_division(connection)
            if division:
                return KafkaFeed(servers, group, division, topic)
            stop.wait(WAIT)
        return None

    return open_feed
