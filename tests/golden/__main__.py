"""Write the golden file and the schema of each event version that has none: ``python -m tests.golden``.

Golden files never change. A published event that changed so that stored data would be misread is refused, with the fix.
"""

from __future__ import annotations

import sys
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

import domain.published
from domain.catalog import EVENTS
from domain.decider import Event
from domain.personal import Personal
from domain.published import incompatible, published, unpublished

FOLDER: Final = Path(__file__).parent
SCHEMAS: Final = Path(domain.published.__file__).with_name("published.json")
MOMENT: Final = datetime(2026, 5, 24, 12, 0, 0, 123456, tzinfo=UTC)


def encode(event: Event) -> bytes:
    """The event's data as the log stores it, laid out for reading."""
    return msgspec.json.format(msgspec.json.encode(event, enc_hook=lambda value: value.token), indent=2) + b"\n"


def sample(kind: Any, name: str) -> Any:
    """A value of the type, told from defaults and from its neighbours by the field's name."""
    plain = {int: sum(name.encode()), str: f"some {name}", bool: True, datetime: MOMENT, float: 0.25}
    origin, parts = get_origin(kind), get_args(kind)
    if kind in plain:
        return plain[kind]
    if origin is Literal:
        return parts[-1]
    if origin in (Union, UnionType):
        return sample(next(part for part in parts if part is not NoneType), name)
    if origin in (tuple, list, frozenset):
        return origin([sample(parts[0], name)])
    if origin is dict:
        return {sample(parts[0], f"{name} key"): sample(parts[1], name)}
    if kind is Any:
        return {name: [1, "two", None]}
    if issubclass(kind, Personal):
        return kind.from_token(b64encode(f"sealed {name}".encode()).decode())
    hints = get_type_hints(kind)
    return kind(**{field: sample(hints[field], field) for field in kind.__struct_fields__})


def write_missing() -> list[str]:
    """Write what is missing and name it: golden files, and the schemas of what is published with them."""
    missing = [topic for topic in sorted(EVENTS) if not (FOLDER / f"{topic}.json").exists()]
    for topic in missing:
        (FOLDER / f"{topic}.json").write_bytes(encode(sample(EVENTS[topic].cls, topic)))
    new = unpublished(published())
    if new:
        schemas = dict(sorted({**published(), **new}.items()))
        SCHEMAS.write_bytes(msgspec.json.format(msgspec.json.encode(schemas), indent=1) + b"\n")
    return [*missing, *(f"the schema of {topic}" for topic in new)]


def main() -> int:
    """Refuse an incompatible change of a published event; with ``--check`` write nothing."""
    problems = incompatible(published())
    done = [] if problems or "--check" in sys.argv else write_missing()
    print("\n".join(problems or done or ["nothing is missing"]))  # noqa: T201 - a command
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
