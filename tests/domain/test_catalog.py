"""The catalog, and the golden file of every event version: what was stored once must be read for good."""

from __future__ import annotations

import json
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from domain.catalog import DECIDERS, EVENTS, by_kind, by_topic
from domain.decider import UPCASTERS, Decider, Event, EventType
from domain.personal import Personal
from tests.golden.__main__ import FOLDER, encode

GOLDEN = sorted(path.name.removesuffix(".json") for path in FOLDER.glob("*.json"))


def decode_personal(kind: type[Any], token: Any) -> Personal:
    assert issubclass(kind, Personal)
    return kind.from_token(token)


def open_golden(topic: str) -> tuple[str, Any]:
    """The latest topic of the golden file's event, and its data brought up to that version."""
    data = json.loads((FOLDER / f"{topic}.json").read_bytes())
    name, _, version = topic.partition("@")
    while topic in UPCASTERS:
        data = UPCASTERS[topic](data)
        version = str(int(version) + 1)
        topic = f"{name}@{version}"
    return topic, data


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_every_event_version_has_a_golden_file(topic: str) -> None:
    known = EVENTS[topic]
    for version in range(1, known.version + 1):
        assert f"{known.name}@{version}" in GOLDEN, "write it with: python -m tests.golden"


@pytest.mark.parametrize("topic", GOLDEN)
def test_every_golden_file_still_decodes_and_loses_nothing(topic: str) -> None:
    latest, data = open_golden(topic)
    event = msgspec.convert(data, EVENTS[latest].cls, dec_hook=decode_personal)
    if latest == topic:
        assert encode(event) == (FOLDER / f"{topic}.json").read_bytes()


@pytest.mark.parametrize("known", EVENTS.values(), ids=EVENTS)
def test_an_event_is_a_frozen_fact_named_after_its_thing(known: EventType) -> None:
    names = {decider.name for decider in DECIDERS.values()}
    assert known.name.partition(".")[0] in names
    assert known.cls.__struct_config__.frozen
    assert known.cls.__struct_config__.omit_defaults
    assert known.cls.__doc__


def personal_parts(kind: Any) -> bool:
    """Whether personal data stands anywhere inside the type."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return any(personal_parts(part) for part in get_type_hints(kind).values())
    if isinstance(kind, type) and issubclass(kind, Personal):
        return True
    return any(personal_parts(part) for part in get_args(kind))


@pytest.mark.parametrize("known", EVENTS.values(), ids=EVENTS)
def test_personal_data_stands_only_at_the_top_of_an_event(known: EventType) -> None:
    """The store seals top-level fields: personal data further down would be stored in clear."""
    for name, kind in get_type_hints(known.cls).items():
        for part in get_args(kind) or (kind,):
            sealed = isinstance(part, type) and issubclass(part, Personal)
            assert sealed or not personal_parts(part), name


def test_two_classes_cannot_share_a_topic() -> None:
    first, second = EventType("thing.done", 1, Event), EventType("thing.done", 1, Event)
    with pytest.raises(ValueError, match=r"thing\.done@1"):
        by_topic([first, second])
    assert set(by_topic([first, EventType("thing.done", 2, Event)])) == {"thing.done@1", "thing.done@2"}


def test_two_deciders_cannot_share_a_kind() -> None:
    def nothing(*_: Any) -> Any:
        raise AssertionError

    first, second = (
        Decider(kind=4, name=name, initial=None, decide=nothing, evolve=nothing) for name in ("one", "two")
    )
    with pytest.raises(ValueError, match="kind 4"):
        by_kind([first, second])


def test_kinds_are_the_ones_that_stand_in_stored_stream_ids() -> None:
    stored = {1: "organization", 2: "audience", 3: "client", 4: "contact"}
    assert {kind: DECIDERS[kind].name for kind in stored} == stored
