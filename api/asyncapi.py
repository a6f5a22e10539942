"""The AsyncAPI 3.0 document of the Kafka topic of events, made from the event types and what was ever published."""

from __future__ import annotations

from functools import cache
from inspect import cleandoc
from typing import Any, Final

from api.answer import ENCODER, Answer
from api.call import Call
from api.openapi import VERSION
from domain.catalog import EVENTS
from domain.event_schema import SEALED
from domain.published import current, published

Json = dict[str, Any]

ADDRESS: Final = "datamailer.events"
SCHEMAS: Final = "#/components/schemas/"
MESSAGES: Final = "#/components/messages/"
ENVELOPE: Final = "Envelope"
NUMBER: Final[Json] = {"type": "string", "pattern": "^[0-9]+$"}

ABOUT: Final = """
Every event of Datamailer, in the order of its log, as CloudEvents 1.0 in binary mode: the envelope stands in the
message's headers, the data as JSON in its value. Messages with the same key, the contact that they concern or else
their stream, stay in order on one partition.

Delivery is at least once. ce_position is the event's place in the log: a consumer that keeps the last one of each
partition and passes over what is not above it takes every event exactly once. ce_prev is the position of the event
before it on the partition: one above the last position taken means that messages are missing, which the log has.

Personal data is sealed with keys that never leave the service and die with an erasure; GET /api/events and webhooks
give a client its own events with such data open. A field that is absent has its default.
"""

INFO: Final[Json] = {
    "title": "Datamailer's events",
    "version": VERSION,
    "description": cleandoc(ABOUT),
    "license": {"name": "MIT"},
}
BROKERS: Final[Json] = {
    "host": "{brokers}",
    "protocol": "kafka",
    "variables": {"brokers": {"description": "KAFKA_BOOTSTRAP_SERVERS", "default": "localhost:9092"}},
}
PUBLISHING: Final[Json] = {
    "action": "send",
    "channel": {"$ref": "#/channels/events"},
    "summary": "Publishes every event of the log.",
}

HEADERS: Final[dict[str, Json]] = {
    "content-type": {"const": "application/json"},
    "ce_specversion": {"const": "1.0"},
    "ce_id": NUMBER | {"description": "The event's id: its position as text."},
    "ce_source": {"const": "/datamailer"},
    "ce_type": {"type": "string", "description": "What happened, such as contact.tagged."},
    "ce_version": NUMBER | {"description": "The version of the event type that the value has."},
    "ce_subject": {"type": "string", "format": "uuid", "description": "The stream that the event belongs to."},
    "ce_streamversion": NUMBER | {"description": "The event's place in its stream, counted from 1."},
    "ce_time": {"type": "string", "format": "date-time", "description": "When it happened."},
    "ce_position": NUMBER | {"description": "The event's place in the log, counted from 1."},
    "ce_prev": NUMBER | {"description": "The position of the event before it on this partition; 0 for none."},
    "ce_generation": {
        "type": "string",
        "format": "uuid",
        "description": "Another one means that the log was divided into partitions anew.",
    },
    "ce_organization": NUMBER | {"description": "In whose name it happened; 0 is the service itself."},
    "ce_client": NUMBER | {"description": "The client whose scope it belongs to; 0 for none."},
    "ce_contact": NUMBER | {"description": "The contact that it concerns; 0 for none."},
    "ce_correlationid": {"type": "string", "description": "The request that it came of, a UUID in hexadecimal digits."},
    "ce_causationid": NUMBER | {"description": "The position of the event that caused it, when one did."},
    "ce_origin": {
        "type": "string",
        "description": "Where it came from: api, import, person, operator, ses and others.",
    },
    "ce_dataref": {
        "type": "string",
        "description": "Stands only where the data is too large for Kafka: the value is empty, the log has it.",
    },
}
OPTIONAL: Final = frozenset({"ce_causationid", "ce_dataref"})


def message_name(topic: str) -> str:
    """What the document calls an event version: ``contact.tagged.v1``."""
    return topic.replace("@", ".v")


def document() -> Json:
    """The whole document."""
    schemas = dict(sorted({**published(), **current()}.items()))
    return {
        "asyncapi": "3.0.0",
        "info": INFO,
        "defaultContentType": "application/json",
        "servers": {"kafka": BROKERS},
        "channels": {"events": channel(list(schemas))},
        "operations": {"publishEvents": PUBLISHING},
        "components": {
            "messages": {message_name(topic): message(topic) for topic in schemas},
            "schemas": {
                ENVELOPE: envelope(),
                **{message_name(topic): payload(topic, schema) for topic, schema in schemas.items()},
            },
        },
    }


def channel(topics: list[str]) -> Json:
    """The topic."""
    names = [message_name(topic) for topic in topics]
    return {
        "address": ADDRESS,
        "title": "Events",
        "messages": {name: {"$ref": MESSAGES + name} for name in names},
        "bindings": {"kafka": {"topic": ADDRESS, "bindingVersion": "0.5.0"}},
    }


def envelope() -> Json:
    """The headers that every message has."""
    required = [name for name in HEADERS if name not in OPTIONAL]
    return {"type": "object", "properties": HEADERS, "required": required}


def message(topic: str) -> Json:
    """A version of an event as a message."""
    name, _, version = topic.partition("@")
    own = {"ce_type": {"const": name}, "ce_version": {"const": version}}
    return {
        "name": topic,
        "title": name,
        "summary": about(topic).partition("\n")[0],
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": {"allOf": [{"$ref": SCHEMAS + ENVELOPE}, {"type": "object", "properties": own}]},
        "payload": {"$ref": SCHEMAS + message_name(topic)},
        "bindings": {"kafka": {"key": {"type": "string"}, "bindingVersion": "0.5.0"}},
    }


def payload(topic: str, schema: Json) -> Json:
    """The schema of a version's data."""
    return {"description": about(topic), **drafted(schema)}


def about(topic: str) -> str:
    """What an event version says."""
    known = EVENTS.get(topic)
    if known is not None:
        return cleandoc(known.cls.__doc__ or "").replace("``", "")
    name = topic.partition("@")[0]
    latest = max(known.version for known in EVENTS.values() if known.name == name)
    return f"An older version, no longer written: events of it stand in the log. The latest is {name}@{latest}."


def drafted(schema: Any) -> Any:
    """A schema in JSON Schema draft 7, which AsyncAPI builds on, with sealed fields explained."""
    if isinstance(schema, list):
        return [drafted(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.items() >= SEALED.items():
        return {**schema, "description": "Personal data, sealed."}
    return {"items" if name == "prefixItems" else name: drafted(value) for name, value in schema.items()}


@cache
def encoded() -> bytes:
    """The document as JSON."""
    return ENCODER.encode(document())


async def asyncapi(_: Call) -> Answer:
    """Give the AsyncAPI 3.0 document of the Kafka topic of events."""
    return Answer(body=encoded())
