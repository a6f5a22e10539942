"""Reading untrusted JSON into request types: every mistake at once, and never an exception."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET, Meta, UnsetType

from api.errors import Invalid
from api.readers import decode_json, read_object, read_query, reader_of
from api.scalars import Errors
from domain.storable import storable

SOME = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def short(value: str) -> str | None:
    return "too_long" if len(value) > 8 else None


class Item(msgspec.Struct, kw_only=True):
    email: Annotated[str, Meta(max_length=5)]
    enabled: bool


class Sample(msgspec.Struct, kw_only=True):
    """Has a field of every type that requests are made of."""

    name: str
    level: Literal["low", "high"]
    count: Annotated[int, Meta(ge=1, le=500)]
    size: Annotated[int, Meta(ge=1)] | UnsetType = UNSET
    whole: int | UnsetType = UNSET
    on: bool | UnsetType = UNSET
    at: datetime | UnsetType | None = UNSET
    note: Annotated[str, Meta(max_length=3)] | UnsetType | None = UNSET
    title: Annotated[str, Meta(min_length=1, pattern=r"^[a-z]*$(?!\n)")] | UnsetType = UNSET
    checked: Annotated[str, Meta(extra={"check": short, "checked_codes": ("too_long",), "trim": True})] | UnsetType = (
        UNSET
    )
    names: Annotated[list[Annotated[str, Meta(min_length=1)]], Meta(max_length=2)] | UnsetType = UNSET
    items: Annotated[list[Item], Meta(min_length=1)] | UnsetType = UNSET
    mixed: list[Item | str] | UnsetType = UNSET
    item: Item | UnsetType = UNSET
    free: dict[str, Any] | UnsetType = UNSET
    texts: Annotated[dict[str, str], Meta(max_length=2)] | UnsetType = UNSET
    anything: Any = UNSET
    renamed: int | UnsetType = msgspec.field(default=UNSET, name="re-named")


GOOD = {"name": "n", "level": "low", "count": 1}


def codes(said: dict[str, Any]) -> dict[str, str]:
    errors: Errors = {}
    built = read_object(Sample, {**GOOD, **said}, errors)
    assert (built is None) is bool(errors)
    return errors


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {}),
        ({"name": None, "level": None}, {"name": "required", "level": "required"}),
        ({"name": " ", "level": " "}, {"name": "required", "level": "required"}),
        ({"name": 1, "level": 1}, {"name": "must_be_string", "level": "must_be_string"}),
        ({"level": "middle"}, {"level": "invalid"}),
        ({"count": 0}, {"count": "must_be_between_1_and_500"}),
        ({"count": True}, {"count": "must_be_integer"}),
        ({"count": 1.0}, {"count": "must_be_integer"}),
        ({"count": "1"}, {"count": "must_be_integer"}),
        ({"count": None}, {"count": "must_be_integer"}),
        (
            {"count": 10**30, "size": 0, "whole": 10**30},
            {"count": "must_be_between_1_and_500", "size": "must_be_positive"},
        ),
        ({"on": 0}, {"on": "must_be_boolean"}),
        ({"at": None, "note": None}, {}),
        ({"at": "never", "note": "long"}, {"at": "must_be_iso_datetime", "note": "too_long"}),
        ({"at": 5, "note": 5}, {"at": "must_be_iso_datetime", "note": "must_be_string"}),
        ({"title": ""}, {"title": "must_be_non_empty_string"}),
        ({"title": "A"}, {"title": "invalid"}),
        ({"title": "a\n"}, {"title": "invalid"}),
        ({"checked": "  eight888  "}, {}),
        ({"checked": "nine99999"}, {"checked": "too_long"}),
        ({"names": ["a", "b", "c"]}, {"names": "too_many"}),
        ({"names": ["a", ""]}, {"names": "must_be_non_empty_strings"}),
        ({"names": ["a\x00"]}, {"names": "invalid"}),
        ({"items": []}, {"items": "must_be_non_empty_list"}),
        (
            {"items": [{"email": "a", "enabled": True}, {"email": "long-er"}]},
            {"items.1.email": "too_long", "items.1.enabled": "required"},
        ),
        ({"items": ["x"]}, {"items.0": "must_be_object"}),
        ({"mixed": ["x", {"email": "a", "enabled": False}]}, {}),
        (
            {"mixed": [5, {"email": 5, "enabled": 5}]},
            {"mixed.0": "must_be_object", "mixed.1.email": "must_be_string", "mixed.1.enabled": "must_be_boolean"},
        ),
        ({"item": {}}, {"item.email": "required", "item.enabled": "required"}),
        ({"item": None}, {"item": "must_be_object"}),
        ({"free": {"a": [{"b": "\x00"}]}}, {"free.a": "invalid"}),
        ({"free": {"\x00": 1}}, {"free": "invalid"}),
        ({"texts": {"a": 1, "b": "x"}}, {"texts.a": "must_be_string"}),
        ({"texts": {"a": "x", "b": "x", "c": "x"}}, {"texts": "too_many"}),
        ({"texts": []}, {"texts": "must_be_object"}),
        ({"anything": ["\ud800"]}, {"anything": "invalid"}),
        ({"re-named": "x"}, {"re-named": "must_be_integer"}),
    ],
)
def test_every_type_has_its_codes(said: dict[str, Any], expected: dict[str, str]) -> None:
    assert codes(said) == expected


def test_values_are_built() -> None:
    errors: Errors = {}
    said = {
        **GOOD,
        "at": "2026-05-24T14:00:00+02:00",
        "items": [{"email": "a", "enabled": True}],
        "re-named": 7,
        "checked": " x ",
    }
    built = read_object(Sample, said, errors)
    assert built is not None
    assert built.at == datetime(2026, 5, 24, 12, tzinfo=UTC)
    assert built.items == [Item(email="a", enabled=True)]
    assert (built.renamed, built.checked, built.note) == (7, "x", UNSET)


def test_queries_are_text() -> None:
    errors: Errors = {}
    query = {"name": "n", "level": "high", "count": "12", "on": "Yes", "whole": "", "at": "2026-05-24T12:00:00 00:00"}
    built = read_query(Sample, query, errors)
    assert built is not None
    assert (built.count, built.on, built.whole) == (12, True, UNSET)
    assert built.at == datetime(2026, 5, 24, 12, tzinfo=UTC)
    assert read_query(Sample, {"count": "x", "on": "maybe", "size": "9" * 40}, errors) is None
    assert errors == {
        "name": "required",
        "level": "required",
        "count": "must_be_integer",
        "on": "must_be_boolean",
        "size": "must_be_integer",
    }


@given(said=st.dictionaries(st.sampled_from([field.encode_name for field in msgspec.structs.fields(Sample)]), SOME))
def test_whatever_is_sent_is_read_or_refused_with_codes_that_are_documented(said: dict[str, Any]) -> None:
    documented = reader_of(Sample, from_text=False).codes
    for path, code in codes(said).items():
        general = ".".join("*" if part.isdigit() else part for part in path.split("."))
        known = documented.get(general) or documented[general.partition(".")[0] + ".*"]
        assert code in known, (path, code)


@given(name=st.text(min_size=1), count=st.integers(1, 500), on=st.booleans(), at=st.datetimes(timezones=st.just(UTC)))
def test_what_the_library_would_accept_is_read_as_the_same_value(
    name: str, count: int, *, on: bool, at: datetime
) -> None:
    said = {
        "name": name,
        "level": "low",
        "count": count,
        "on": on,
        "at": at.isoformat(),
        "item": {"email": "e", "enabled": on},
    }
    errors: Errors = {}
    built = read_object(Sample, said, errors)
    if storable(name) and name.strip():
        assert built == msgspec.convert(said, Sample)
    else:
        assert set(errors) == {"name"}


@given(st.binary() | st.text().map(str.encode) | SOME.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_json_or_refused(body: bytes) -> None:
    refused = {}
    try:
        decode_json(body)
    except Invalid as refusal:
        refused = refusal.fields
    assert refused in ({}, {"body": "invalid_json"})


@given(SOME)
def test_json_is_decoded_as_the_standard_library_does(value: Any) -> None:
    encoded = json.dumps(value)
    try:
        decoded = decode_json(encoded.encode())
    except Invalid:
        assert any(abs(number) >= 2**64 for number in numbers_in(value))
    else:
        assert decoded == json.loads(encoded)


def numbers_in(value: Any) -> list[float]:
    """The numbers at any depth."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return [number for inner in value for number in numbers_in(inner)]
    return [value] if isinstance(value, int | float) else []


def test_a_type_without_codes_is_refused_when_it_is_compiled() -> None:
    class Odd(msgspec.Struct):
        data: bytes

    with pytest.raises(TypeError):
        reader_of(Odd, from_text=False)
