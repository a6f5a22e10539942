"""Checks a consent proof: that it is as it was made, that this service made it, and that it agrees with the log."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec

from api.consent import documented, seal
from api.directory import Directory
from domain import contact as c
from domain.chain import UNCHAINED, Json, flaws
from domain.consent import FORMAT
from domain.store.history import Stream, read_stream
from domain.store.log import Store

LINKS = frozenset({"number", "previous", "hash"})
"""Fields of an entry that say where it stands in the document; the others must be what the log says."""


class Verdict(NamedTuple):
    """``flaws`` are in words, none for a document that holds. ``erased`` counts texts that the log no longer has.

    ``later`` counts the facts that the log has from after the document.
    """

    flaws: list[str]
    facts: int = 0
    erased: int = 0
    later: int = 0


def parsed(text: bytes) -> Any:
    """The JSON value of a document. Raises ValueError: it is not JSON, or names a field twice."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ValueError("it is not JSON") from None
    return json.loads(text, object_pairs_hook=unique)


def unique(pairs: list[tuple[str, Any]]) -> Json:
    """An object, unless a name stands in it twice: people and programs would read different ones."""
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError("it names a field twice")
    return dict(pairs)


def verdict(text: bytes, store: Store, directory: Directory) -> Verdict:
    """Check a document. Raises Unavailable."""
    try:
        document = parsed(text)
        found = flaws(document)
    except (ValueError, RecursionError, msgspec.MsgspecError) as error:
        return Verdict([str(error)])
    if found:
        return Verdict(found)
    if document.get("format") != FORMAT or document.get("seal") != seal(store, document):
        return Verdict([f"it was not issued by this service as {FORMAT}"])
    stream = read_stream(store, c.decider.kind, document["contact_id"])
    return compared(document, stream, directory)


def compared(document: Json, stream: Stream, directory: Directory) -> Verdict:
    """Make the document again from the log and find what differs."""
    owner, number = directory.organizations.get(document["organization"]), document["contact_id"]
    own = (owner.number, owner.slug) if owner else (0, "")
    position, issued_at = document["position"], document["issued_at"]
    again = documented(stream, directory, number, own, position, issued_at)
    if owner is None or again is None:
        return Verdict(["the log knows nothing of this contact"])
    now = documented(stream, directory, number, own, stream.head, issued_at) or again
    said = {entry["position"]: entry for entry in document["entries"]}
    true = {entry["position"]: entry for entry in again["entries"]}
    found = [f"the log has no such fact at position {place}" for place in said if place not in true]
    found += [f"it lacks the fact at position {place}" for place in true if place not in said]
    erased = 0
    for where, mine, its in pairs(document, again, said, true):
        for name in sorted((mine.keys() | its.keys()) - LINKS):
            if gone(name, mine, its):
                erased += name != "withheld"
            elif mine.get(name) != its.get(name):
                found.append(f"{where}: {name} is not what the log says")
    later = sum(entry["position"] > position for entry in now["entries"])
    return Verdict(found, len(said), erased, later)


def pairs(document: Json, again: Json, said: dict[int, Json], true: dict[int, Json]) -> list[tuple[str, Json, Json]]:
    """What is to be the same: the headers, and the entries of each position."""
    aside = UNCHAINED | {"count"}
    headers = [{name: value for name, value in each.items() if name not in aside} for each in (document, again)]
    common = [(f"position {place}", said[place], true[place]) for place in said if place in true]
    return [("the header", headers[0], headers[1]), *common]


def gone(name: str, mine: Json, its: Json) -> bool:
    """Whether the log cannot tell, because the text was erased after the document was made."""
    if name == "email":
        return its["email"] is None and mine["email"] is not None
    return name in {"reason", "withheld"} and its.get("withheld") == "erased" and "withheld" not in mine
