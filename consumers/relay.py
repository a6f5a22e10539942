"""Publishes the log to Kafka in its order, by one leader, which keeps its position once brokers acknowledged."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from threading import Event as Flag
from typing import Any, Final

from kafka import KafkaProducer
from kafka.errors import KafkaTimeoutError, MessageSizeTooLargeError

from consumers.feed import Division, relayed_division
from consumers.messages import Headers, headers_of, too_large
from consumers.session import WAIT, Connection, connect, lead, listen, read, wait
from consumers.topics import EVENTS, Topic, ensure_topic
from domain.store.partition import key_of, partition_of
from domain.store.recorded import Recorded
from projections.engine import Repartitioned

NAME: Final = "datamailer.relay"
LIMIT: Final = 5_000
BATCH_BYTES: Final = 256 * 1024
DELIVERY_SECONDS: Final = 8.0
CLOSE_SECONDS: Final = 2.0

PRODUCER: Final[dict[str, Any]] = {
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 0,
    "allow_auto_create_topics": False,
    "request_timeout_ms": 4_000,
    "delivery_timeout_ms": int(DELIVERY_SECONDS * 1000),
    "max_block_ms": 5_000,
    "bootstrap_timeout_ms": 5_000,
    "reconnect_backoff_max_ms": 1_000,
    "metrics_enabled": False,
}

# Where a relay that never ran begins: what the read models have already need not pass through Kafka, and the log has
# what others want from before.
FOUND = """
INSERT INTO relay (partitions, position) SELECT %s, coalesce(max(position), 0) FROM checkpoints
ON CONFLICT (only_one) DO UPDATE SET partitions = excluded.partitions, generation = excluded.generation
WHERE relay.partitions <> excluded.partitions
RETURNING position
"""
DIVIDE = """
WITH gone AS (DELETE FROM relay_partitions WHERE partition >= %s)
INSERT INTO relay_partitions (partition, position) SELECT partition, %s FROM generate_series(0, %s - 1) AS partition
ON CONFLICT (partition) DO UPDATE SET position = excluded.position
"""
LAST = "SELECT partition, position FROM relay_partitions"
POSITION = "SELECT position FROM relay"
SAVE = """
WITH published AS (
    UPDATE relay SET position = %s, updated_at = now() WHERE generation = %s RETURNING position
), moved AS (
    UPDATE relay_partitions p SET position = v.position
    FROM unnest(%s::integer[], %s::bigint[]) AS v (partition, position)
    WHERE p.partition = v.partition AND EXISTS (SELECT FROM published))
SELECT pg_notify('datamailer_checkpoint', 'relay') FROM published
"""

log = logging.getLogger(__name__)


class Relay:
    """The way from the log to the topic of events. Many may run; one at a time leads."""

    def __init__(self, conninfo: str, servers: str, partitions: int, topic: str = EVENTS) -> None:
        self._conninfo = conninfo
        self._servers = servers
        self._wanted = partitions
        self._topic = topic

    def session(self, stop: Flag) -> None:
        """Lead, publish until stopped. Raises psycopg's OperationalError, KafkaError, Repartitioned."""
        with connect(self._conninfo, NAME) as connection:
            listen(connection)
            if not lead(connection, NAME, stop):
                return
            topic = ensure_topic(self._servers, self._topic, self._wanted)
            division = self._divide(connection, topic.partitions)
            with producing(self._servers, topic) as producer:
                self._follow(connection, producer, division, stop)

    def _follow(self, connection: Connection, producer: KafkaProducer, division: Division, stop: Flag) -> None:
        row = connection.execute(POSITION).fetchone()
        position = int(row[0]) if row else 0
        last = dict(connection.execute(LAST).fetchall())
        while not stop.is_set():
            events = read(connection, position, LIMIT)
            if events:
                self._publish(producer, division, events, last)
                position = events[-1].position
                save(connection, division, position, last)
            else:
                wait(connection, WAIT)

    def _divide(self, connection: Connection, partitions: int) -> Division:
        """Begin, or begin a new generation when the topic's partitions are not those of the last one."""
        with connection.transaction():
            row = connection.execute(FOUND, (partitions,)).fetchone()
            if row:
                connection.execute(DIVIDE, (partitions, row[0], partitions))
        division = relayed_division(connection)
        if division is None:
            raise Repartitioned
        return division

    def _publish(
        self, producer: KafkaProducer, division: Division, events: Sequence[Recorded], last: dict[int, int]
    ) -> None:
        """Send all, one behind the other, then see that each was acknowledged. Raises KafkaError."""
        generation = str(division.generation).encode()
        sent = []
        for event in events:
            partition = partition_of(event, division.partitions)
            headers = headers_of(event, last[partition], generation)
            last[partition] = event.position
            sent.append(self.send(producer, event, headers, partition))
        for future in sent:
            future.get(timeout=DELIVERY_SECONDS)

    def send(self, producer: KafkaProducer, event: Recorded, headers: Headers, partition: int) -> Any:
        """Send the event; one that is too large is only referred to, and consumers read it from the log."""
        try:
            return producer.send(self._topic, event.data, key_of(event), headers, partition)
        except MessageSizeTooLargeError:
            log.warning("event too large for Kafka", extra={"position": event.position, "topic": event.topic})
            return producer.send(self._topic, b"", key_of(event), too_large(event, headers), partition)


@contextmanager
def producing(servers: str, topic: Topic) -> Iterator[KafkaProducer]:
    """Make a producer that sends nothing that brokers refuse for its size. Raises KafkaError."""
    producer = KafkaProducer(
        bootstrap_servers=servers.split(","),
        max_request_size=topic.max_bytes,
        batch_size=min(BATCH_BYTES, topic.max_bytes),
        **PRODUCER,
    )
    try:
        yield producer
    finally:
        try:
            producer.close(timeout=CLOSE_SECONDS)
        except KafkaTimeoutError:
            log.warning("producer left with messages that no broker acknowledged")
            abandon(producer)


def abandon(producer: KafkaProducer) -> None:
    """End a producer whose messages nobody takes: the library's ``close`` gives up before it ends its own thread."""
    sender = producer._sender  # noqa: SLF001
    sender.force_close()
    sender.join(CLOSE_SECONDS)
    with suppress(KafkaTimeoutError):
        producer.close(timeout=CLOSE_SECONDS)


def save(connection: Connection, division: Division, position: int, last: dict[int, int]) -> None:
    """Keep the positions. Raises Repartitioned when the relay's row is of another generation, or gone."""
    parameters = (position, division.generation, list(last), list(last.values()))
    if connection.execute(SAVE, parameters, prepare=True).fetchone() is None:
        raise Repartitioned
