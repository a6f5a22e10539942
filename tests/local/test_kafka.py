"""A real broker takes records, makes no topic by itself and ends with its stack."""

from collections.abc import Iterable
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

from tests.local.running import Stack, alive
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka


def test_a_record_goes_through_the_broker(kafka: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    admin.create_topics([NewTopic("local.one", num_partitions=2, replication_factor=1)])
    producer = KafkaProducer(bootstrap_servers=kafka, acks="all", max_request_size=12_000_000)
    consumer = KafkaConsumer(bootstrap_servers=kafka, enable_auto_commit=False)
    try:
        large = bytes(10_000_000)
        sent = producer.send("local.one", value=large, key=b"k", partition=1).get(timeout=20)
        there = TopicPartition("local.one", 1)
        consumer.assign([there])
        consumer.seek(there, sent.offset)
        records = consumer.poll(timeout_ms=20_000)[there]
        assert [(record.key, record.value) for record in records] == [(b"k", large)]
    finally:
        consumer.close()
        producer.close()
        admin.close()


def test_a_topic_is_never_made_by_asking_for_it(kafka: str) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka, max_block_ms=300)
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        with pytest.raises(KafkaError):
            producer.send("local.misspelt", value=b"").get(timeout=1)
        assert "local.misspelt" not in admin.list_topics()
    finally:
        admin.close()
        producer.close()


def wait_for_end(pids: Iterable[int]) -> None:
    wait_until(lambda: not any(map(alive, pids)), "every child to end")


def test_the_stack_runs_on_kafka_and_leaves_none_behind(home: Path) -> None:
    brokers = []
    for steps in ("migrate demo", "migrate demo migrate"):
        stack = Stack(home / "stack", KAFKA="on")
        stack.wait_until_ready()
        assert f"({steps!r},)" in stack.steps()
        brokers.append(stack.steps().partition("kafka=")[2])
        assert f"consumers follow Apache Kafka 4.1.1 at {brokers[-1]}\n" in stack.screen
        children = stack.descendants()
        java = [pid for pid, command in children.items() if "java" in command]
        assert len(java) == 1
        stack.process.kill()
        stack.end()
        wait_for_end(children)
    assert brokers[0] == brokers[1]
