"""The JSON Schema of an event's data as the log and Kafka hold it, made from the event class."""

from __future__ import annotations

from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, inspect

from domain.decider import Event
from domain.personal import Personal

Schema = dict[str, Any]

SEALED: Final[Schema] = {"type": "string", "contentEncoding": "base64", "contentMediaType": "application/octet-stream"}
"""Personal data as it is stored: AES-GCM under a key that dies with an erasure."""

PLAIN: Final[dict[type[inspect.Type], Schema]] = {
    inspect.AnyType: {},
    inspect.NoneType: {"type": "null"},
    inspect.BoolType: {"type": "boolean"},
    inspect.IntType: {"type": "integer"},
    inspect.FloatType: {"type": "number"},
    inspect.StrType: {"type": "string"},
    inspect.DateTimeType: {"type": "string", "format": "date-time"},
    inspect.UUIDType: {"type": "string", "format": "uuid"},
}


def schema_of(cls: type[Event]) -> Schema:
    """The schema of an event class; the structs inside it stand in place. Raises TypeError for a type it cannot say."""
    return _schema(inspect.type_info(cls))


def _schema(info: inspect.Type) -> Schema:
    if type(info) in PLAIN:
        return dict(PLAIN[type(info)])
    match info:
        case inspect.Metadata():
            return _schema(info.type)
        case inspect.StructType():
            return _row(info) if info.array_like else _object(info)
        case inspect.LiteralType():
            return {"enum": sorted(info.values, key=str)}
        case inspect.UnionType():
            return {"anyOf": [_schema(part) for part in info.types]}
        case inspect.ListType() | inspect.VarTupleType() | inspect.SetType() | inspect.FrozenSetType():
            return {"type": "array", "items": _schema(info.item_type)}
        case inspect.DictType():
            return {"type": "object", "additionalProperties": _schema(info.value_type)}
        case inspect.CustomType() if issubclass(info.cls, Personal):
            return dict(SEALED)
    raise TypeError(info)


def _object(info: inspect.StructType) -> Schema:
    properties = {field.encode_name: _schema(field.type) for field in info.fields}
    for field in info.fields:
        if not field.required:
            properties[field.encode_name]["default"] = _default(field)
    required = [field.encode_name for field in info.fields if field.required]
    if info.tag_field:
        properties[info.tag_field] = {"enum": [info.tag]}
        required.append(info.tag_field)
    return {"type": "object", "properties": properties, "required": required}


def _row(info: inspect.StructType) -> Schema:
    """A struct that is written as an array of its fields in order."""
    required = sum(field.required for field in info.fields)
    return {"type": "array", "prefixItems": [_schema(field.type) for field in info.fields], "minItems": required}


def _default(field: inspect.Field) -> Any:
    value = field.default_factory() if field.default is NODEFAULT else field.default
    return msgspec.json.decode(msgspec.json.encode(value))


def breaks(published: Schema, now: Schema, path: str = "") -> list[str]:
    """What stored data or its readers would stumble over if the schema became ``now``; empty when nothing.

    A field with a default may be added and an enumeration may get more values. An event leaves out what equals the
    default, so another default would change what was stored.
    """
    if "properties" in published and "properties" in now:
        return _broken_fields(published, now, path)
    if "enum" in published and "enum" in now:
        gone = [value for value in published["enum"] if value not in now["enum"]]
        return [f"{path}: the value {value!r} was removed" for value in gone]
    if "prefixItems" in published and "prefixItems" in now:
        return _broken_items(published, now, path)
    for inside, mark in (("items", "[]"), ("additionalProperties", "{}")):
        if inside in published and inside in now:
            return breaks(published[inside], now[inside], f"{path}{mark}")
    parts = [schema.get("anyOf", ()) for schema in (published, now)]
    if parts[0] and len(parts[0]) == len(parts[1]):
        return [broken for before, after in zip(*parts, strict=True) for broken in breaks(before, after, path)]
    return [] if _bare(published) == _bare(now) else [f"{path}: the type changed"]


def _broken_fields(published: Schema, now: Schema, path: str) -> list[str]:
    broken = []
    for name, before in published["properties"].items():
        field, after = f"{path}.{name}".lstrip("."), now["properties"].get(name)
        if after is None:
            broken.append(f"{field}: the field was removed")
            continue
        if (name in published["required"]) != (name in now["required"]):
            what = "may now be absent" if name in published["required"] else "is now required"
            broken.append(f"{field}: the field {what}")
        elif before.get("default") != after.get("default"):
            broken.append(f"{field}: the default changed")
        broken += breaks(before, after, field)
    added = [name for name in now["required"] if name not in published["properties"]]
    return broken + [f"{f'{path}.{name}'.lstrip('.')}: a required field was added" for name in added]


def _broken_items(published: Schema, now: Schema, path: str) -> list[str]:
    before, after = published["prefixItems"], now["prefixItems"]
    broken = [f"{path}: an item was removed"] if len(after) < len(before) else []
    if now["minItems"] != published["minItems"]:
        broken.append(f"{path}: another number of items is required")
    pairs = enumerate(zip(before, after, strict=False))
    return broken + [what for place, pair in pairs for what in breaks(*pair, f"{path}[{place}]")]


def _bare(schema: Schema) -> Schema:
    return {name: value for name, value in schema.items() if name not in {"default", "description"}}
