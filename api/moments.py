"""Moments of the log that a request names: a position, or a time (contract, ``as_of``)."""

from __future__ import annotations

from datetime import datetime

from msgspec import UNSET, UnsetType

from api.errors import Invalid
from api.scalars import INTEGER, parsed_time
from domain.store.history import Moment


def moment(given: str | UnsetType, field: str, now: datetime) -> Moment | None:
    """The moment that a field names, None when it names none.

    Raises Invalid: ``must_be_iso_datetime``, or ``invalid`` for a time in the future and a position below 0.
    """
    if given is UNSET:
        return None
    text = given.strip()
    found = int(text) if INTEGER.fullmatch(text) else parsed_time(text)
    if found is None:
        raise Invalid({field: "must_be_iso_datetime"})
    if found > now if isinstance(found, datetime) else found < 0:
        raise Invalid({field: "invalid"})
    return found


def check_reached(found: Moment | None, field: str, head: int) -> None:
    """Raises Invalid ``invalid`` for a position past the end of the log."""
    if isinstance(found, int) and found > head:
        raise Invalid({field: "invalid"})


def is_later(first: Moment | None, second: Moment | None) -> bool:
    """Whether one moment is later than another of its kind; a time and a position cannot tell."""
    if isinstance(first, int) and isinstance(second, int):
        return first > second
    return isinstance(first, datetime) and isinstance(second, datetime) and first > second
