"""What every feed promises, tried on both."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from operator import attrgetter
from threading import Event as Flag
from time import monotonic

import pytest

from consumers.feed import Feed
from domain.store.log import Store
from domain.store.partition import partition_of
from domain.store.recorded import Recorded
from domain.store.schema import install_schema
from projections.engine import Batch
from projections.schema import install_read_models
from tests.consumers.conftest import Source, ThroughKafka
from tests.consumers.running import DEADLINE, running, wait_until, write
from tests.projections.conftest import MASTER_KEY


def polled(feed: Feed, until: Callable[[list[Batch]], bool]) -> list[Batch]:
    """What the feed gives until that is enough."""
    batches: list[Batch] = []
    deadline = monotonic() + DEADLINE
    while not until(batches):
        assert monotonic() < deadline, "the feed gave no more"
        batches += feed.poll(0.2)
    return batches


def events_of(batches: list[Batch]) -> list[Recorded]:
    return [event for batch in batches for event in batch.events]


def owning_all(feed: Feed) -> bool:
    polled(feed, lambda _: len(feed.owned) == feed.division.partitions)
    return True


@pytest.fixture
def feed(source: Source) -> Iterator[Feed]:
    with closing(source.open(Flag())) as feed:
        assert owning_all(feed)
        yield feed


def test_events_come_in_order_without_a_gap_and_as_they_were_written(feed: Feed, store: Store) -> None:
    for start in range(0, 200, 50):
        write(store, range(start, start + 50), tag="t")
    head = store.recorder.head()
    batches = polled(feed, lambda batches: len(events_of(batches)) >= head)
    assert sorted(events_of(batches), key=attrgetter("position")) == store.read(0, head)
    for partition in range(feed.division.partitions):
        own = [batch for batch in batches if batch.partition == partition]
        positions = [event.position for event in events_of(own)]
        assert positions == sorted(positions)
        assert all(partition_of(event, feed.division.partitions) == partition for event in events_of(own))
        assert [batch.prev for batch in own[1:]] == [batch.through for batch in own[:-1]]
        assert own[0].prev == 0
        assert all(batch.through == batch.events[-1].position for batch in own)


def test_a_waiting_consumer_is_woken_by_an_append(feed: Feed, store: Store) -> None:
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(feed.poll, 10 * DEADLINE)
        write(store, [1])
        assert events_of(waiting.result(DEADLINE))


def test_an_idle_feed_gives_nothing(feed: Feed) -> None:
    assert feed.poll(0) == []
    assert feed.poll(0.01) == []


def test_who_comes_next_owns_what_the_one_before_let_go(source: Source, store: Store) -> None:
    with ThreadPoolExecutor(1) as thread:
        first = source.open(Flag())
        assert owning_all(first)
        opening = thread.submit(source.open, Flag())
        write(store, range(20))
        first.close()
        with closing(opening.result(DEADLINE)) as second:
            assert owning_all(second)
            before = store.recorder.head()
            write(store, range(20, 40))
            new = store.read(before, 1000)
            batches = polled(second, lambda batches: set(new) <= set(events_of(batches)))
            assert {batch.partition for batch in batches} == {partition_of(e, source.partitions) for e in new}


@pytest.mark.kafka
def test_messages_of_another_log_are_passed_over(kafka: str, store: Store, empty_database: str) -> None:
    install_schema(empty_database)
    install_read_models(empty_database)
    way = ThroughKafka(store, kafka)
    with (
        closing(Store(empty_database, MASTER_KEY)) as before,
        running(ThroughKafka(before, kafka, topic=way.topic).relay),
    ):
        write(before, range(40))
        head = [(before.recorder.head(),)]
        wait_until(empty_database, lambda c: c.execute("SELECT position FROM relay").fetchall() == head)
    write(store, range(20))
    with running(way.relay), closing(way.open(Flag())) as feed:
        wanted = store.read(0, 1000)
        batches = polled(feed, lambda batches: len(events_of(batches)) >= len(wanted))
    assert sorted(events_of(batches), key=attrgetter("position")) == wanted
