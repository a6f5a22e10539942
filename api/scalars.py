"""Reads text, numbers, booleans and times from untrusted JSON, with the contract's code for each mistake."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
from msgspec import inspect

from domain.storable import UNSTORABLE, storable

Errors = dict[str, str]
Read = Callable[[Any, str, Errors], Any]
"""Takes a JSON value, its dotted path and the errors so far; gives the value, or notes an error under the path."""

Check = Callable[[Any], str | None]
"""A rule of the domain over a value of the right type: the error code, or None when the value is good."""

INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
LOST_PLUS = re.compile(r"(T[0-9:.]+) ([0-9]{2}:?[0-9]{2})$")
"""A UTC offset whose ``+`` was read as a space, as in every query string that was not encoded with care."""

TRUE = frozenset({"true", "yes", "1", "y", "on"})
FALSE = frozenset({"false", "no", "0", "n", "off"})


class Reader(msgspec.Struct, frozen=True):
    """How a type is read, and which codes it may give for each path below it ("" is the value itself)."""

    read: Read
    codes: dict[str, tuple[str, ...]]


class Extra(msgspec.Struct, frozen=True):
    """What the annotation of a field asks for beyond its type."""

    check: Check | None = None
    checked_codes: tuple[str, ...] = ()
    trim: bool = False


def text_reader(info: inspect.StrType, extra: Extra, *, required: bool) -> Reader:
    """Text of a length and pattern. A required one may not be blank, nor may one with a minimal length."""
    longest, pattern = info.max_length, re.compile(info.pattern) if info.pattern else None
    blank = "required" if required else "must_be_non_empty_string" if info.min_length else None

    def read(value: Any, path: str, errors: Errors) -> str | None:
        if type(value) is not str:
            errors[path] = "required" if required and value is None else "must_be_string"
            return None
        if extra.trim:
            value = value.strip()
        if blank and not value.strip():
            errors[path] = blank
        elif UNSTORABLE.search(value):
            errors[path] = "invalid"
        elif longest is not None and len(value) > longest:
            errors[path] = "too_long"
        elif pattern and not pattern.search(value):
            errors[path] = "invalid"
        elif extra.check and (code := extra.check(value)):
            errors[path] = code
        return str(value)

    possible = ("must_be_string", blank, "invalid", "too_long" if longest else None, *extra.checked_codes)
    return Reader(read, {"": tuple(dict.fromkeys(code for code in possible if code))})


def choice_reader(info: inspect.LiteralType, *, required: bool) -> Reader:
    """One of a fixed set of words."""
    words = frozenset(info.values)

    def read(value: Any, path: str, errors: Errors) -> str | None:
        if type(value) is not str:
            errors[path] = "required" if required and value is None else "must_be_string"
            return None
        if value not in words:
            errors[path] = "required" if required and not value.strip() else "invalid"
        return value

    return Reader(read, {"": ("required", "must_be_string", "invalid") if required else ("must_be_string", "invalid")})


def boolean_reader(*, from_text: bool) -> Reader:
    """A JSON boolean; in a query, one of the words that the CSV import takes too."""

    def read(value: Any, path: str, errors: Errors) -> bool | None:
        if type(value) is bool:
            return value
        if from_text and type(value) is str and value.strip().lower() in TRUE | FALSE:
            return value.strip().lower() in TRUE
        errors[path] = "must_be_boolean"
        return None

    return Reader(read, {"": ("must_be_boolean",)})


def integer_reader(info: inspect.IntType, *, from_text: bool) -> Reader:
    """An integer within its bounds."""
    low, high = info.ge, info.le
    outside = bounds_code(low, high)

    def read(value: Any, path: str, errors: Errors) -> int | None:
        if from_text and type(value) is str and INTEGER.fullmatch(value.strip()):
            value = int(value)
        if type(value) is not int:
            errors[path] = "must_be_integer"
            return None
        if (low is not None and value < low) or (high is not None and value > high):
            errors[path] = outside
        return value

    bounded = low is not None or high is not None
    return Reader(read, {"": ("must_be_integer", outside) if bounded else ("must_be_integer",)})


def bounds_code(low: int | None, high: int | None) -> str:
    """The contract's code for a number outside of its bounds."""
    if low is not None and high is not None and high <= 10_000:  # noqa: PLR2004 - the largest bound the contract names
        return f"must_be_between_{low}_and_{high}"
    return "must_be_positive" if low == 1 else "invalid"


def time_reader(*, from_text: bool) -> Reader:
    """An ISO 8601 time, taken as UTC when it names no offset."""

    def read(value: Any, path: str, errors: Errors) -> datetime | None:
        time = parsed_time(value, lenient=from_text) if type(value) is str else None
        if time is None:
            errors[path] = "must_be_iso_datetime"
        return time

    return Reader(read, {"": ("must_be_iso_datetime",)})


def parsed_time(text: str, *, lenient: bool = True) -> datetime | None:
    """The time that a text says in ISO 8601, in UTC; None when it says none. ``lenient`` forgives a lost ``+``."""
    try:
        return to_utc(datetime.fromisoformat((LOST_PLUS.sub(r"\1+\2", text) if lenient else text).strip()))
    except (ValueError, OverflowError):
        return None


def to_utc(time: datetime) -> datetime:
    """Raises OverflowError at the ends of the calendar."""
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def any_reader() -> Reader:
    """Any JSON value whose text, at every depth, can be stored."""

    def read(value: Any, path: str, errors: Errors) -> Any:
        if not storable(value):
            errors[path] = "invalid"
        return value

    return Reader(read, {"": ("invalid",)})
