"""The relay: all of the log on the topic, in order, whatever dies on the way."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from itertools import groupby
from threading import Event as Flag
from typing import Any
from uuid import UUID

import psycopg
import pytest
from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import KafkaTimeoutError
from kafka.structs import TopicPartition

from consumers import relay
from consumers.feed import Division, relayed_division
from consumers.messages import Headers, Message, message_of
from consumers.session import Connection, connect
from consumers.topics import ensure_topic
from domain.store.log import Store
from domain.store.partition import partition_of
from domain.store.recorded import Recorded
from tests.consumers.conftest import PARTITIONS, ThroughKafka
from tests.consumers.running import handled, running, wait_until, write
from tests.projections.histories import EVERYTHING
from tests.store.conftest import upsert

pytestmark = pytest.mark.kafka


@pytest.fixture
def way(store: Store, kafka: str) -> ThroughKafka:
    return ThroughKafka(store, kafka)


def relayed(way: ThroughKafka) -> int:
    with connect(way.store.conninfo, "test looks") as connection:
        row = connection.execute("SELECT position FROM relay").fetchone()
    return row[0] if row else -1


def wait_for_relay(way: ThroughKafka) -> None:
    head = way.store.recorder.head()
    wait_until(way.store.conninfo, lambda _: relayed(way) == head, f"the relay at {head}")


def division(way: ThroughKafka) -> Division:
    with connect(way.store.conninfo, "test looks") as connection:
        found = relayed_division(connection)
    assert found is not None
    return found


def published(way: ThroughKafka, generation: UUID | None = None) -> dict[int, list[Message]]:
    """Everything on the topic, by partition."""
    generation = generation or division(way).generation
    consumer = KafkaConsumer(bootstrap_servers=way.servers, auto_offset_reset="earliest", enable_auto_commit=False)
    try:
        places = [TopicPartition(way.topic, p) for p in consumer.partitions_for_topic(way.topic)]
        consumer.assign(places)
        ends = consumer.end_offsets(places)
        found: dict[int, list[Message]] = {place.partition: [] for place in places}
        while any(consumer.position(place) < end for place, end in ends.items()):
            for place, records in consumer.poll(timeout_ms=500).items():
                messages = (message_of(r.headers, r.value, str(generation).encode()) for r in records)
                found[place.partition] += [message for message in messages if message]
        return found
    finally:
        consumer.close()


def expected(way: ThroughKafka, after: int = 0) -> dict[int, list[Message]]:
    """What the log says should be there."""
    found: dict[int, list[Message]] = {partition: [] for partition in range(way.partitions)}
    last = dict.fromkeys(found, after)
    for event in way.store.read(after, EVERYTHING):
        partition = partition_of(event, way.partitions)
        found[partition].append(Message(event.position, last[partition], event))
        last[partition] = event.position
    return found


def without_repeats(messages: Sequence[Message]) -> list[Message]:
    """One of each position. A repeated message must be the same to the byte."""
    each = [list(same) for _, same in groupby(sorted(messages, key=lambda m: m.position), lambda m: m.position)]
    assert all(message == same[0] for same in each for message in same)
    return [same[0] for same in each]


def test_the_whole_log_is_published_in_order_each_event_once(way: ThroughKafka) -> None:
    write(way.store, range(100), tag="before")
    with running(way.relay):
        wait_for_relay(way)
        write(way.store, range(100), tag="while it runs")
        wait_for_relay(way)
    assert published(way) == expected(way)


def test_one_relay_leads_and_another_takes_over_where_it_stopped(way: ThroughKafka) -> None:
    with running(way.relay):
        with running(way.relay):
            write(way.store, range(50))
            wait_for_relay(way)
        write(way.store, range(50, 100))
        wait_for_relay(way)
    assert published(way) == expected(way)


def test_dying_between_acknowledgement_and_position_repeats_the_same_messages(
    way: ThroughKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = relay.save
    died: list[int] = []

    def dying(connection: Connection, *arguments: Any) -> None:
        if len(died) < 2:
            died.append(arguments[1])
            raise psycopg.OperationalError
        save(connection, *arguments)

    monkeypatch.setattr(relay, "save", dying)
    write(way.store, range(50), tag="t")
    with running(way.relay):
        wait_for_relay(way)
    found = published(way)
    assert sum(map(len, found.values())) == 3 * way.store.recorder.head()
    assert {partition: without_repeats(messages) for partition, messages in found.items()} == expected(way)


class Unacknowledged:
    """What becomes of a message that no broker took."""

    def get(self, timeout: float) -> None:
        raise KafkaTimeoutError(timeout)


def test_a_message_that_no_broker_acknowledged_is_sent_again(
    way: ThroughKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    send = relay.Relay.send
    lost: list[int] = []

    def losing(self: relay.Relay, producer: Any, event: Recorded, headers: Headers, partition: int) -> Any:
        if len(lost) < 3 and event.position > 7:
            lost.append(event.position)
            return Unacknowledged()
        return send(self, producer, event, headers, partition)

    monkeypatch.setattr(relay.Relay, "send", losing)
    write(way.store, range(20))
    with running(way.relay):
        wait_for_relay(way)
    assert {p: without_repeats(messages) for p, messages in published(way).items()} == expected(way)


def test_a_lost_database_session_costs_no_event(way: ThroughKafka) -> None:
    with running(way.relay):
        for start in range(0, 90, 30):
            write(way.store, range(start, start + 30))
            with psycopg.connect(way.store.conninfo, autocommit=True) as connection:
                kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s"
                connection.execute(kill, (relay.NAME,))
        wait_for_relay(way)
    assert {p: without_repeats(messages) for p, messages in published(way).items()} == expected(way)


def test_an_event_too_large_for_the_topic_is_referred_to_and_holds_up_nothing(way: ThroughKafka) -> None:
    admin = KafkaAdminClient(bootstrap_servers=way.servers)
    limits = {"max.message.bytes": "1100"}
    admin.create_topics({way.topic: {"num_partitions": PARTITIONS, "configs": limits}}, wait_for_metadata=True)
    admin.close()
    write(way.store, range(10))
    large = handled(way.store, [upsert("person0@example.com", tags=tuple(letter * 100 for letter in "xyz"))])
    write(way.store, range(10, 20))
    with running(way.relay):
        wait_for_relay(way)
    assert published(way) == {
        partition: [Message(m.position, m.prev, None if m.position in large else m.event) for m in messages]
        for partition, messages in expected(way).items()
    }


def test_a_deleted_topic_is_made_again_and_later_events_published(way: ThroughKafka) -> None:
    write(way.store, range(20))
    with running(way.relay):
        wait_for_relay(way)
    lost = way.store.recorder.head()
    admin = KafkaAdminClient(bootstrap_servers=way.servers)
    admin.delete_topics([way.topic])
    admin.close()
    write(way.store, range(20, 40))
    with running(way.relay):
        wait_for_relay(way)
    later = {p: [m for m in messages if m.position > lost] for p, messages in expected(way).items()}
    assert published(way) == later


def test_more_partitions_begin_a_new_generation(way: ThroughKafka) -> None:
    write(way.store, range(20))
    with running(way.relay):
        wait_for_relay(way)
    before, there = division(way), way.store.recorder.head()
    way.partitions = PARTITIONS + 2
    write(way.store, range(20, 60))
    with running(way.relay):
        wait_for_relay(way)
    assert division(way).partitions == PARTITIONS + 2
    assert division(way).generation != before.generation
    assert published(way) == expected(way, after=there)


def test_a_relay_that_never_ran_begins_where_the_read_models_are(way: ThroughKafka) -> None:
    write(way.store, range(20))
    there = way.store.recorder.head()
    with connect(way.store.conninfo, "test") as connection:
        connection.execute("INSERT INTO checkpoints VALUES ('contacts', 0, 1, %s)", (there,))
    write(way.store, range(20, 40))
    with running(way.relay):
        wait_for_relay(way)
    assert published(way) == expected(way, after=there)


def test_a_stopped_relay_waits_for_nobody(way: ThroughKafka) -> None:
    stop = Flag()
    stop.set()
    way.relay(stop)
    assert relayed(way) == -1


def test_a_producer_whose_messages_nobody_takes_ends_all_the_same(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay, "CLOSE_SECONDS", 0.5)
    name, admin = "datamailer.abandoned", KafkaAdminClient(bootstrap_servers=kafka)
    topic, before = ensure_topic(kafka, name, 1), set(threading.enumerate())
    with relay.producing(kafka, topic) as producer:
        producer.send(name, b"taken").get(10)
        admin.delete_topics([name])
        late = producer.send(name, b"not taken")
    assert late.failed()
    assert set(threading.enumerate()) <= before
    producer.close(timeout=0)
    admin.close()
