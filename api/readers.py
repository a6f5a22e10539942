"""Compiles a request type into a reader that finds every wrong field of a JSON object at once and builds the Struct."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, inspect

from api.errors import Invalid
from api.scalars import (
    Errors,
    Extra,
    Read,
    Reader,
    any_reader,
    boolean_reader,
    choice_reader,
    integer_reader,
    text_reader,
    time_reader,
)
from domain.storable import storable

T = TypeVar("T", bound=msgspec.Struct)
NO_EXTRA = Extra()

Fields = tuple[tuple[inspect.Field, Reader], ...]


def decode_json(body: bytes) -> Any:
    """The JSON value that a body holds. Raises Invalid when it holds none.

    A lone surrogate is no mistake of the syntax but of the field that holds it, so the more lenient decoder has a look.
    """
    try:
        return msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if b"\\ud" not in body.lower():
            raise Invalid({"body": "invalid_json"}) from None
    try:
        return json.loads(body, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise Invalid({"body": "invalid_json"}) from None


def refuse_constant(name: str) -> None:
    """NaN and the infinities are not JSON."""
    raise ValueError(name)


def read_object(cls: type[T], value: Any, errors: Errors) -> T | None:
    """Build ``cls`` from a decoded JSON object, or note every wrong field in ``errors`` and give None."""
    if type(value) is not dict:
        errors["body"] = "must_be_object"
        return None
    built: T | None = reader_of(cls, from_text=False).read(value, "", errors)
    return built


def read_query(cls: type[T], query: Mapping[str, str], errors: Errors) -> T | None:
    """Build ``cls`` from the fields of a query string; an empty value is as good as none."""
    given = {name: value for name, value in query.items() if value.strip()}
    built: T | None = reader_of(cls, from_text=True).read(given, "", errors)
    return built


@cache
def reader_of(cls: type[msgspec.Struct], *, from_text: bool) -> Reader:
    """The compiled reader of a request type."""
    return object_reader(struct_info(cls), from_text=from_text)


@cache
def field_readers(cls: type[msgspec.Struct], *, from_text: bool) -> Fields:
    """The compiled readers of a request type's fields."""
    return tuple(
        (field, compiled(field.type, NO_EXTRA, required=field.required, from_text=from_text))
        for field in struct_info(cls).fields
    )


def struct_info(cls: type[msgspec.Struct]) -> inspect.StructType:
    """What msgspec knows of a request type."""
    info = inspect.type_info(cls)
    if not isinstance(info, inspect.StructType):
        raise TypeError(cls)
    return info


def object_reader(info: inspect.StructType, *, from_text: bool) -> Reader:
    """An object with known fields; unknown ones are ignored."""
    fields = field_readers(info.cls, from_text=from_text)
    codes: dict[str, tuple[str, ...]] = {"": ("must_be_object",)}
    for field, reader in fields:
        for path, possible in reader.codes.items():
            below = f"{field.encode_name}.{path}" if path else field.encode_name
            first = ("required",) if field.required and not path else ()
            codes[below] = tuple(dict.fromkeys(first + possible))
    return Reader(fields_read(info.cls, fields), codes)


def fields_read(cls: type[msgspec.Struct], fields: Fields) -> Read:
    """Reads each field in turn, so that all mistakes are found."""
    members = tuple((field.name, field.encode_name, field.required, reader.read) for field, reader in fields)

    def read(value: Any, path: str, errors: Errors) -> msgspec.Struct | None:
        if type(value) is not dict:
            errors[path] = "must_be_object"
            return None
        prefix = f"{path}." if path else ""
        found = {}
        for name, key, required, field_read in members:
            given = value.get(key, UNSET)
            if given is not UNSET:
                found[name] = field_read(given, prefix + key, errors)
            elif required:
                errors[prefix + key] = "required"
        return None if errors else cls(**found)

    return read


def compiled(info: inspect.Type, extra: Extra, *, required: bool, from_text: bool) -> Reader:
    """The reader of any type that a request may hold. Raises TypeError for one that the contract has no code for."""
    match info:
        case inspect.Metadata():
            return compiled(info.type, Extra(**(info.extra or {})), required=required, from_text=from_text)
        case inspect.StrType():
            return text_reader(info, extra, required=required)
        case inspect.LiteralType():
            return choice_reader(info, required=required)
        case inspect.BoolType():
            return boolean_reader(from_text=from_text)
        case inspect.IntType():
            return integer_reader(info, from_text=from_text)
        case inspect.DateTimeType():
            return time_reader(from_text=from_text)
        case inspect.AnyType():
            return any_reader()
        case _:
            return compiled_container(info, extra, required=required, from_text=from_text)


def compiled_container(info: inspect.Type, extra: Extra, *, required: bool, from_text: bool) -> Reader:
    """The reader of a type that holds others."""
    match info:
        case inspect.StructType():
            return object_reader(info, from_text=from_text)
        case inspect.DictType():
            return mapping_reader(info, from_text=from_text)
        case inspect.ListType():
            return list_reader(info, extra, from_text=from_text)
        case inspect.UnionType():
            return union_reader(info, extra, required=required, from_text=from_text)
        case _:
            raise TypeError(info)


def mapping_reader(info: inspect.DictType, *, from_text: bool) -> Reader:
    """An object with names that the client chose."""
    item = compiled(info.value_type, NO_EXTRA, required=False, from_text=from_text)

    def read(value: Any, path: str, errors: Errors) -> dict[str, Any] | None:
        if type(value) is not dict:
            errors[path] = "must_be_object"
            return None
        if not all(map(storable, value)):
            errors[path] = "invalid"
            return None
        if info.max_length is not None and len(value) > info.max_length:
            errors[path] = "too_many"
        return {name: item.read(given, f"{path}.{name}", errors) for name, given in value.items()}

    codes = {f"*.{path}" if path else "*": possible for path, possible in item.codes.items()}
    many = ("too_many",) if info.max_length is not None else ()
    return Reader(read, {"": ("must_be_object", "invalid", *many), **codes})


def list_reader(info: inspect.ListType, extra: Extra, *, from_text: bool) -> Reader:
    """A list of a length. A list of names is wrong as a whole, one of objects where its items are."""
    item = compiled(info.item_type, NO_EXTRA, required=False, from_text=from_text)
    names = is_name(info.item_type)

    def read(value: Any, path: str, errors: Errors) -> list[Any] | None:
        if type(value) is not list:
            errors[path] = "must_be_list"
        elif info.min_length and len(value) < info.min_length:
            errors[path] = "must_be_non_empty_list"
        elif info.max_length is not None and len(value) > info.max_length:
            errors[path] = "too_many"
        elif names and not all(type(name) is str and name.strip() for name in value):
            errors[path] = "must_be_non_empty_strings"
        else:
            return read_items(item.read, value, path, errors, extra, names=names)
        return None

    items = {f"*.{path}" if path else "*": possible for path, possible in item.codes.items()}
    own = ("must_be_list", "must_be_non_empty_strings", "invalid", "too_long") if names else ("must_be_list",)
    more = ("must_be_non_empty_list",) if info.min_length else ()
    many = ("too_many",) if info.max_length is not None else ()
    codes = tuple(dict.fromkeys(own + more + many + extra.checked_codes))
    return Reader(read, {"": codes, **({} if names else items)})


def read_items(read: Read, value: list[Any], path: str, errors: Errors, extra: Extra, *, names: bool) -> list[Any]:
    """The items of a list, each under its own path, or under the list's when it is a list of names."""
    before = len(errors)
    items = [read(given, path if names else f"{path}.{index}", errors) for index, given in enumerate(value)]
    if len(errors) == before and extra.check and (code := extra.check(items)):
        errors[path] = code
    return items


def is_name(info: inspect.Type) -> bool:
    """Whether a list of this type is a list of non-empty names."""
    inner = info.type if isinstance(info, inspect.Metadata) else info
    return isinstance(inner, inspect.StrType) and bool(inner.min_length)


JSON_TYPES: dict[type[inspect.Type], type] = {
    inspect.StrType: str,
    inspect.LiteralType: str,
    inspect.DateTimeType: str,
    inspect.BoolType: bool,
    inspect.IntType: int,
    inspect.StructType: dict,
    inspect.DictType: dict,
    inspect.ListType: list,
    inspect.NoneType: type(None),
}


def union_reader(info: inspect.UnionType, extra: Extra, *, required: bool, from_text: bool) -> Reader:
    """One of several types, told apart by the kind of JSON value; the first gives the error for all others."""
    readers: dict[type, Reader] = {}
    for member in info.types:
        inner = member.type if isinstance(member, inspect.Metadata) else member
        reader = (
            Reader(lambda _value, _path, _errors: None, {})
            if isinstance(inner, inspect.NoneType)
            else compiled(member, extra, required=required and not info.includes_none, from_text=from_text)
        )
        readers[JSON_TYPES[type(inner)]] = reader
    default = next(reader for kind, reader in readers.items() if kind is not type(None))

    def read(value: Any, path: str, errors: Errors) -> Any:
        return readers.get(type(value), default).read(value, path, errors)

    codes: dict[str, tuple[str, ...]] = {}
    for reader in readers.values():
        for path, possible in reader.codes.items():
            codes[path] = tuple(dict.fromkeys(codes.get(path, ()) + possible))
    return Reader(read, codes)
