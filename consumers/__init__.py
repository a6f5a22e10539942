"""What follows the log: the relay to Kafka, and those that act on events."""
