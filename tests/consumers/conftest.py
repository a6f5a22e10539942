"""The two ways from the log to a consumer, on a fresh database and topic."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from threading import Event as Flag

import pytest

from consumers import projector, relay, session
from consumers.feed import Feed
from consumers.projector import Projector, direct_feed, kafka_feed
from consumers.relay import Relay
from consumers.session import connect
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.projection import Projection
from tests.consumers.running import running
from tests.consumers.tally import TABLE, TALLY
from tests.projections.conftest import MASTER_KEY

PARTITIONS = 3
BOTH = (PROJECTION, TALLY)
numbers = count(1)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often, so that nothing takes long to stop."""
    for module in (session, relay, projector):
        monkeypatch.setattr(module, "WAIT", 0.25)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with connect(database, "test") as connection:
        connection.execute(TABLE)
    store = Store(database, MASTER_KEY)
    yield store
    store.close()


class Direct:
    """Consumers follow the log itself."""

    partitions = 1

    def __init__(self, store: Store) -> None:
        self.store = store

    def open(self, stop: Flag) -> Feed:
        with connect(self.store.conninfo, "test opens") as connection:
            feed = direct_feed(self.store.conninfo)(connection, stop)
        assert feed is not None
        return feed

    def projector(self, *projections: Projection) -> Callable[[Flag], None]:
        feed = direct_feed(self.store.conninfo)
        return Projector(self.store.conninfo, feed, self.store.unsealer, projections or BOTH).session


class ThroughKafka:
    """Consumers follow a topic of their own, and a relay runs."""

    def __init__(self, store: Store, servers: str, partitions: int = PARTITIONS, topic: str | None = None) -> None:
        self.store = store
        self.servers = servers
        self.partitions = partitions
        self.topic = topic or f"datamailer.test{next(numbers)}.events"

    def relay(self, stop: Flag) -> None:
        Relay(self.store.conninfo, self.servers, self.partitions, self.topic).session(stop)

    def open(self, stop: Flag) -> Feed:
        with connect(self.store.conninfo, "test opens") as connection:
            feed = kafka_feed(self.servers, self.topic, f"{self.topic}.projector")(connection, stop)
        assert feed is not None
        return feed

    def projector(self, *projections: Projection) -> Callable[[Flag], None]:
        feed = kafka_feed(self.servers, self.topic, f"{self.topic}.projector")
        return Projector(self.store.conninfo, feed, self.store.unsealer, projections or BOTH).session


Source = Direct | ThroughKafka


@pytest.fixture(params=["direct", pytest.param("kafka", marks=pytest.mark.kafka)])
def source(request: pytest.FixtureRequest, store: Store) -> Iterator[Source]:
    """Both ways, one after the other; what holds for the one holds for the other."""
    if request.param == "direct":
        yield Direct(store)
        return
    through_kafka = ThroughKafka(store, request.getfixturevalue("kafka"))
    with ExitStack() as stack:
        stack.enter_context(running(through_kafka.relay))
        yield through_kafka
