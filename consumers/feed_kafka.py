"""The feed through Kafka: the consumers of a group share the partitions of the topic of events."""

from __future__ import annotations

from collections.abc import Iterable
from time import monotonic
from typing import Any, Final

from kafka import KafkaConsumer

from consumers.feed import Division
from consumers.messages import Message, message_of
from consumers.topics import EVENTS
from domain.store.recorded import Recorded
from projections.engine import Batch

LIMIT: Final = 5_000
COMMIT_SECONDS: Final = 1.0

# The offsets committed to Kafka only save reading the topic from its beginning: checkpoints decide. The library's own
# defaults would commit by time and begin at the end.
CONSUMER: Final[dict[str, Any]] = {
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "allow_auto_create_topics": False,
    "max_poll_records": LIMIT,
    "fetch_max_bytes": 16 << 20,
    "max_partition_fetch_bytes": 8 << 20,
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 2_000,
    "request_timeout_ms": 15_000,
    "bootstrap_timeout_ms": 5_000,
    "reconnect_backoff_max_ms": 1_000,
    "metadata_max_age_ms": 10_000,
    "metrics_enabled": False,
}


class KafkaFeed:
    """A member of the consumer group of the name, for messages of one division."""

    def __init__(self, servers: str, consumer: str, division: Division, topic: str = EVENTS) -> None:
        """Join the group. Raises KafkaError."""
        self.division = division
        self._generation = str(division.generation).encode()
        self._committed = monotonic()
        self._consumer = KafkaConsumer(bootstrap_servers=servers.split(","), group_id=consumer, **CONSUMER)
        # A member that hears of the topic only while it joins is given nothing and, once in a while, never looks again.
        self._consumer.partitions_for_topic(topic)
        self._consumer.subscribe([topic])

    @property
    def owned(self) -> frozenset[int]:
        """What the group gave to this member."""
        return frozenset(place.partition for place in self._consumer.assignment())

    def poll(self, timeout: float) -> list[Batch]:
        """The messages that came, as stretches without a gap."""
        if monotonic() - self._committed > COMMIT_SECONDS and self._consumer.assignment():
            self._committed = monotonic()
            self._consumer.commit_async()
        polled = self._consumer.poll(timeout_ms=int(timeout * 1000))
        batches: list[Batch] = []
        for place, records in polled.items():
            messages = (message_of(record.headers, record.value, self._generation) for record in records)
            batches.extend(stretches(place.partition, messages))
        return batches

    def close(self) -> None:
        """Leave the group, so that others take the partitions over at once."""
        self._consumer.close(autocommit=False, timeout_ms=2_000)


def stretches(partition: int, messages: Iterable[Message | None]) -> list[Batch]:
    """Join messages that follow one another. A repeated one is left out; one without its data is a gap after it."""
    batches: list[Batch] = []
    run: list[Recorded] = []
    prev = through = 0
    for message in messages:
        if message is None or (run and message.position <= through):
            continue
        if run and (message.prev != through or message.event is None):
            batches.append(Batch(partition, prev, run, through))
            run = []
        if message.event is None:
            batches.append(Batch(partition, message.position, (), message.position))
            continue
        if not run:
            prev = message.prev
        run.append(message.event)
        through = message.position
    return [*batches, Batch(partition, prev, run, through)] if run else batches
