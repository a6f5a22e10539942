"""The topic of events on the brokers: made when it is missing, asked for what it can take."""

from __future__ import annotations

from threading import Event as Flag
from time import monotonic
from typing import Final, NamedTuple

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaTimeoutError, TopicAlreadyExistsError

EVENTS: Final = "datamailer.events"
LIMIT: Final = "max.message.bytes"
REQUEST_MS: Final = 5_000
LOOK_SECONDS: Final = 0.05


class Topic(NamedTuple):
    """What brokers say of a topic: its partitions, and the bytes that a message may have."""

    partitions: int
    max_bytes: int


def ensure_topic(servers: str, name: str, partitions: int) -> Topic:
    """Create the topic, or add the partitions that it lacks; it may have more than asked for. Raises KafkaError."""
    admin = KafkaAdminClient(
        bootstrap_servers=servers.split(","), request_timeout_ms=REQUEST_MS, bootstrap_timeout_ms=REQUEST_MS
    )
    try:
        if name not in admin.list_topics():
            create(admin, name, partitions)
        elif count(admin, name) < partitions:
            admin.create_partitions({name: partitions})
        wait_for_partitions(admin, name, partitions)
        asked = ConfigResource(ConfigResourceType.TOPIC, name, {LIMIT: None})
        settings = admin.describe_configs([asked], config_filter="all")["topic"][name]
        return Topic(count(admin, name), int(settings[LIMIT]["value"]))
    finally:
        admin.close()


def create(admin: KafkaAdminClient, name: str, partitions: int) -> None:
    """Create the topic unless somebody else just did. Brokers decide on the number of copies."""
    try:
        admin.create_topics({name: {"num_partitions": partitions}})
    except TopicAlreadyExistsError:
        return


def count(admin: KafkaAdminClient, name: str) -> int:
    """How many partitions with a leader the topic has by now."""
    return sum(place["leader_id"] >= 0 for place in admin.describe_topics([name])[0]["partitions"])


def wait_for_partitions(admin: KafkaAdminClient, name: str, partitions: int) -> None:
    """Wait until every broker's word is that they are there. Raises KafkaTimeoutError."""
    deadline = monotonic() + REQUEST_MS / 1000
    pause = Flag()
    while count(admin, name) < partitions:
        if monotonic() > deadline:
            raise KafkaTimeoutError
        pause.wait(LOOK_SECONDS)
