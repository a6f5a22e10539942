"""The local stack: PostgreSQL, Apache Kafka, SES and the service itself, for `make run` and the tests."""
