"""Every event version that was ever published, with the schema under which it stands in logs and topics for good."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from domain.catalog import EVENTS
from domain.decider import UPCASTERS, EventType
from domain.event_schema import Schema, breaks, schema_of

FILE: Final = files("domain") / "published.json"


@cache
def published() -> dict[str, Schema]:
    """Schemas by topic (``contact.untagged@1``), older versions included."""
    schemas: dict[str, Schema] = msgspec.json.decode(FILE.read_bytes())
    return schemas


def current(events: Mapping[str, EventType] = EVENTS) -> dict[str, Schema]:
    """Schemas by topic of the versions that are written now."""
    return {topic: schema_of(known.cls) for topic, known in sorted(events.items())}


def incompatible(schemas: Mapping[str, Schema], events: Mapping[str, EventType] = EVENTS) -> list[str]:
    """Why events stored under the published schemas could be misread by this code: one line each, naming the fix."""
    latest = {known.name: known.version for known in events.values()}
    problems = []
    for topic, schema in sorted(schemas.items()):
        name, _, version = topic.partition("@")
        if topic in events:
            broken = breaks(schema, schema_of(events[topic].cls))
            fix = f"publish {name}@{int(version) + 1} with an upcaster for version {version} instead"
            problems += [f"{topic}: {what}; {fix}" for what in broken]
        elif name not in latest:
            problems.append(f"{topic} was published and is gone: keep its class, stored events are read by it")
        elif int(version) > latest[name]:
            problems.append(f"{topic} was published and the code is back at version {latest[name]}: restore its class")
        elif topic not in UPCASTERS:
            problems.append(f"{topic} has no upcaster: write one beside the class of {name}@{latest[name]}")
    return problems


def unpublished(schemas: Mapping[str, Schema], events: Mapping[str, EventType] = EVENTS) -> dict[str, Schema]:
    """What the file lacks: new event versions, and compatible additions to those that are there."""
    known = {topic: schemas.get(topic) for topic in events}
    return {topic: schema for topic, schema in current(events).items() if known[topic] != schema}
