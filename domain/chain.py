"""Entries chained by SHA-256 over canonical JSON: a change, a removal or another order is evident to anybody.

The header is hashed first. Every entry names the hash before it as ``previous``, and bears the ``hash`` of all its
fields but that one; the document's ``hash`` is the last. Canonical is RFC 8785 for what stands here: names sorted, no
space between, UTF-8, whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Any, Final

import msgspec

Json = dict[str, Any]

UNCHAINED: Final = frozenset({"entries", "hash", "seal"})
"""Fields of a document that are no part of its header."""


def canonical(value: Any) -> bytes:
    """The canonical JSON of a JSON value."""
    return msgspec.json.encode(value, order="sorted")


def digest(value: Any) -> str:
    """The SHA-256 of a JSON value, in hexadecimal digits."""
    return sha256(canonical(value)).hexdigest()


def chained(header: Mapping[str, Any], facts: Iterable[Mapping[str, Any]]) -> Json:
    """A document of entries. How many they are stands in the header, so that none can be left off at the end."""
    listed = list(facts)
    document: Json = {**header, "count": len(listed), "entries": []}
    last = digest(_header(document))
    for number, fact in enumerate(listed, 1):
        entry = {"number": number, **fact, "previous": last}
        last = entry["hash"] = digest(entry)
        document["entries"].append(entry)
    return document | {"hash": last}


def flaws(document: Any) -> list[str]:
    """Where a document is not as it was made, in words; empty when it is. Takes any JSON value."""
    if not isinstance(document, dict) or not isinstance(document.get("entries"), list):
        return ["it has no list of entries"]
    entries = document["entries"]
    found = [] if document.get("count") == len(entries) else [f"it has {len(entries)} entries, not as many as it says"]
    last = digest(_header(document))
    for number, entry in enumerate(entries, 1):
        if not isinstance(entry, dict):
            return [*found, f"entry {number} is no object"]
        if entry.get("number") != number or entry.get("previous") != last:
            before = f"entry {number - 1}" if number > 1 else "the header"
            found.append(f"entry {number} does not follow {before} as it stands")
        last = digest({name: value for name, value in entry.items() if name != "hash"})
        if entry.get("hash") != last:
            found.append(f"entry {number} was changed")
    if document.get("hash") != last:
        found.append("its hash is not that of the last entry")
    return found


def _header(document: Json) -> Json:
    return {name: value for name, value in document.items() if name not in UNCHAINED}
