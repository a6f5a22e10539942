import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import KafkaError

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
