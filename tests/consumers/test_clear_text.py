"""What stands in Kafka can be read by anybody who gets at it: no address, no reason."""

from __future__ import annotations

from contextlib import closing
from time import monotonic

import pytest
from kafka import KafkaConsumer

from domain.store.log import Store
from tests.consumers.conftest import ThroughKafka
from tests.consumers.running import handled, running
from tests.store.conftest import upsert

ADDRESS = "zebra.quagga@example.com"
REASON = "okapi newsletters are too frequent"


@pytest.mark.kafka
def test_kafka_holds_no_address_and_no_reason(store: Store, kafka: str) -> None:
    source = ThroughKafka(store, kafka)
    handled(store, [upsert(ADDRESS, status="unsubscribed", unsubscribe_reason=REASON, tags=("xylophone",))])
    expected = store.recorder.head()
    with running(source.relay):
        found = everything_in(source, expected)
    assert len(found) == expected
    data = b"".join(found)
    assert b"xylophone" in data, "the search would find what is there"
    for clear in (ADDRESS, "quagga", REASON, "okapi"):
        assert clear.encode() not in data


def everything_in(source: ThroughKafka, count: int) -> list[bytes]:
    """Keys, headers and values of all messages, once there are so many."""
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "group_id": None}
    found: list[bytes] = []
    deadline = monotonic() + 20
    while len(found) < count:
        assert monotonic() < deadline, f"{len(found)} of {count} messages came"
        found.clear()
        with closing(KafkaConsumer(source.topic, bootstrap_servers=source.servers.split(","), **options)) as consumer:
            for records in consumer.poll(timeout_ms=2_000).values():
                found.extend(b"".join([r.key or b"", *(v for _, v in r.headers), r.value or b""]) for r in records)
    return found
