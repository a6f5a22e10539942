"""What was published stays readable: a change that would misread stored events is refused, with the fix."""

from __future__ import annotations

import json
from typing import Any, Literal, cast

import jsonschema
import msgspec
import pytest

from domain.catalog import EVENTS
from domain.contact import ContactTagged, ContactUntagged
from domain.decider import Event, EventType
from domain.event_schema import breaks, schema_of
from domain.personal import Address, Personal
from domain.published import incompatible, published, unpublished
from domain.store.mapper import Mapper
from tests.golden.__main__ import FOLDER


class Part(msgspec.Struct, frozen=True):
    name: str
    size: int = 1


class Row(msgspec.Struct, frozen=True, array_like=True):
    first: int
    second: str = ""


class Before(Event, frozen=True):
    who: int
    kind: Literal["a", "b"]
    parts: tuple[Part, ...] = ()
    rows: tuple[Row, ...] = ()
    words: Personal | None = None
    sizes: dict[str, int] = msgspec.field(default_factory=dict)


def changed(fields: dict[str, Any]) -> type[Event]:
    """An event like ``Before`` with other fields; None removes one."""
    said = {
        field.name: (field.type,) if field.required else (field.type, msgspec.field(default=field.default))
        for field in msgspec.structs.fields(Before)
        if field.name not in ("at", "sizes")
    }
    said["sizes"] = (dict[str, int], msgspec.field(default_factory=dict))
    spec = [(name, *kind) for name, kind in {**said, **fields}.items() if kind is not None]
    after: Any = msgspec.defstruct("After", spec, bases=(Event,), frozen=True, kw_only=True)
    return cast("type[Event]", after)


class OtherPart(msgspec.Struct, frozen=True):
    name: str
    size: int = 2


class LongerRow(msgspec.Struct, frozen=True, array_like=True):
    first: int
    second: str
    third: int = 0


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"who": None}, ["who: the field was removed"]),
        ({"who": (str,)}, ["who: the type changed"]),
        ({"who": (int, 0)}, ["who: the field may now be absent"]),
        ({"new": (int,)}, ["new: a required field was added"]),
        ({"parts": (tuple[Part, ...],)}, ["parts: the field is now required"]),
        ({"kind": (Literal["b"],)}, ["kind: the value 'a' was removed"]),
        ({"words": (str | None, None)}, ["words: the type changed"]),
        ({"kind": (Literal["a", "b"], "a")}, ["kind: the field may now be absent"]),
        ({"parts": (tuple[OtherPart, ...], ())}, ["parts[].size: the default changed"]),
        ({"rows": (tuple[LongerRow, ...], ())}, ["rows[]: another number of items is required"]),
        ({"sizes": (dict[str, str], {})}, ["sizes{}: the type changed"]),
    ],
)
def test_a_change_that_would_misread_stored_events_is_named(fields: dict[str, Any], says: list[str]) -> None:
    assert breaks(schema_of(Before), schema_of(changed(fields))) == says


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"new": (int, 3)},
        {"kind": (Literal["a", "b", "c"],)},
        {"words": (Address | None, None)},
    ],
)
def test_an_addition_is_compatible(fields: dict[str, Any]) -> None:
    assert breaks(schema_of(Before), schema_of(changed(fields))) == []


def test_no_published_event_changed_incompatibly() -> None:
    assert incompatible(published()) == []


def test_every_event_version_is_published() -> None:
    assert list(unpublished(published())) == [], "write it with: python -m tests.golden"


def test_the_fix_is_named() -> None:
    schemas = {"thing.done@1": schema_of(Before), "thing.gone@1": schema_of(Before), "thing.past@2": schema_of(Before)}
    events = {
        "thing.done@1": EventType("thing.done", 1, changed({"who": None})),
        "thing.past@1": EventType("thing.past", 1, Before),
        "thing.next@2": EventType("thing.next", 2, Before),
    }
    assert incompatible({**schemas, "thing.next@1": schema_of(Before)}, events) == [
        "thing.done@1: who: the field was removed; publish thing.done@2 with an upcaster for version 1 instead",
        "thing.gone@1 was published and is gone: keep its class, stored events are read by it",
        "thing.next@1 has no upcaster: write one beside the class of thing.next@2",
        "thing.past@2 was published and the code is back at version 1: restore its class",
    ]


@pytest.mark.parametrize("topic", sorted(published()))
def test_the_golden_file_of_every_published_version_fits_its_schema(topic: str) -> None:
    data = json.loads((FOLDER / f"{topic}.json").read_bytes())
    validator = jsonschema.Draft202012Validator(published()[topic])
    validator.validate(data)
    assert set(published()[topic]["required"]) <= set(data)
    for name, schema in published()[topic]["properties"].items():
        takes_any_number = schema.get("type") == "number" or not schema.keys() & {"type", "enum", "anyOf"}
        assert validator.is_valid({**data, name: 0.5}) == takes_any_number


def test_an_untagging_stored_by_version_1_reads_as_version_2() -> None:
    mapper = Mapper()
    stored = (FOLDER / "contact.untagged@1.json").read_bytes()
    event = mapper.open("contact.untagged@1", stored, {})
    assert event == ContactUntagged(at=event.at, audience_id=1130, slugs=("some tags",))
    assert mapper.seal(event, 0, {})[0] == "contact.untagged@2"
    assert EVENTS["contact.tagged@1"].cls is ContactTagged
