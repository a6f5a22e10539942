"""Finds what else is wrong with a request of which some fields cannot be read: the rules are asked about the rest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar, runtime_checkable

import msgspec
from msgspec import inspect

from api.errors import Invalid
from api.readers import field_readers, struct_info
from api.scalars import Errors

if TYPE_CHECKING:
    from api.call import Call

T = TypeVar("T", bound=msgspec.Struct)

BODIES: Final = frozenset({"html_body", "text_body"})
"""Where one of them cannot be read, nobody knows whether there is a ``body``."""


@runtime_checkable
class Ruled(Protocol):
    """A request with rules beyond the types of its fields."""

    async def check(self, call: Call) -> object:
        """Ask the rules. Raises Invalid with every wrong field."""


async def mistakes(call: Call, takes: type[msgspec.Struct], raw: Any, errors: Mapping[str, str]) -> Errors:
    """The errors of a request, with those that its rules find in the fields that could be read."""
    if not isinstance(raw, dict) or not issubclass(takes, Ruled):
        return dict(errors)
    unread = {path.partition(".")[0] for path in errors}
    try:
        await readable(takes, raw, unread).check(call)
    except Invalid as refusal:
        found = {path: code for path, code in refusal.fields.items() if is_certain(path, unread)}
        return {**found, **errors}
    return dict(errors)


def is_certain(path: str, unread: Iterable[str]) -> bool:
    """Whether a mistake is not merely one of a field that could not be read."""
    return path.partition(".")[0] not in unread and not (path == "body" and BODIES.intersection(unread))


def readable(cls: type[T], raw: Mapping[str, Any], unread: Iterable[str]) -> T:
    """The request without the fields ``unread``: an optional one as if it was not said, a required one empty."""
    found: dict[str, Any] = dict(empty(cls))
    for field, reader in field_readers(cls, from_text=False):
        key = field.encode_name
        if key in raw and key not in unread:
            found[field.name] = reader.read(raw[key], key, {})
    return cls(**found)


@cache
def empty(cls: type[msgspec.Struct]) -> Mapping[str, str | tuple[()]]:
    """Required fields with nothing in them: text, or a list."""
    return {field.name: "" if is_text(field.type) else () for field in struct_info(cls).fields if field.required}


def is_text(info: inspect.Type) -> bool:
    """Whether a field holds text."""
    return isinstance(info.type if isinstance(info, inspect.Metadata) else info, inspect.StrType)
