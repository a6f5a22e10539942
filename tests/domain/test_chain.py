"""Any change of a chained document is evident, wherever it is made."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from domain.chain import canonical, chained, digest, flaws

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
numbers = st.integers(-(2**53), 2**53)
leaves = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=4
)
names = texts.filter(lambda name: name not in {"number", "previous", "hash", "entries", "seal", "count"})
documents = st.builds(
    chained,
    st.dictionaries(names, values, max_size=4),
    st.lists(st.dictionaries(names, values, max_size=3), max_size=4),
)
Path = tuple[str | int, ...]
few = settings(max_examples=40)


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """The path of everything in a JSON value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        yield (*path, name)
        yield from places(inner, (*path, name))


def container(document: Any, path: Path) -> Any:
    for step in path[:-1]:
        document = document[step]
    return document


def as_read(document: Any) -> Any:
    """The document after a way through a file."""
    return json.loads(json.dumps(document))


@few
@given(documents)
def test_a_document_as_it_was_made_holds(document: Any) -> None:
    assert flaws(as_read(document)) == []


@few
@given(documents, st.data(), values)
def test_any_other_value_anywhere_is_found(document: Any, data: st.DataObject, value: Any) -> None:
    path = data.draw(st.sampled_from(sorted(places(document), key=str)))
    changed = copy.deepcopy(document)
    container(changed, path)[path[-1]] = value
    assume(canonical(changed) != canonical(document))
    assert flaws(as_read(changed))


@few
@given(documents, st.data())
def test_anything_left_out_is_found(document: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from(sorted(places(document), key=str)))
    del container(document, path)[path[-1]]
    assert flaws(as_read(document))


@few
@given(documents, texts.filter(lambda name: name != "seal"), values, st.data())
def test_anything_put_in_is_found(document: Any, name: str, value: Any, data: st.DataObject) -> None:
    entry = data.draw(st.sampled_from([document, *document["entries"]]))
    assume(name not in entry)
    entry[name] = value
    assert flaws(as_read(document))


@few
@given(documents, st.data())
def test_another_order_is_found(document: Any, data: st.DataObject) -> None:
    entries = document["entries"]
    assume(len(entries) > 1)
    first, second = data.draw(st.lists(st.sampled_from(range(len(entries))), min_size=2, max_size=2, unique=True))
    entries[first], entries[second] = entries[second], entries[first]
    assert flaws(as_read(document))


@few
@given(documents, documents)
def test_an_entry_of_another_document_is_found(document: Any, other: Any) -> None:
    assume(document["entries"] and other["entries"])
    assume(document["entries"][-1] != other["entries"][-1])
    document["entries"][-1] = other["entries"][-1]
    assert flaws(as_read(document))


@few
@given(values)
def test_what_is_no_document_is_told(value: Any) -> None:
    assert flaws(value)
    assert flaws({"entries": value})


@few
@given(values)
def test_anybody_can_compute_the_hashes(value: Any) -> None:
    """Canonical JSON as Python's own encoder writes it."""
    plain = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    assert digest(value) == sha256(plain).hexdigest()


def test_flaws_are_named() -> None:
    document = chained({"who": 1}, [{"what": "a"}, {"what": "b"}, {"what": "c"}])
    changed = copy.deepcopy(document)
    changed["entries"][1]["what"] = "x"
    assert flaws(changed) == ["entry 2 was changed", "entry 3 does not follow entry 2 as it stands"]
    shorter = copy.deepcopy(document)
    del shorter["entries"][2]
    assert flaws(shorter) == ["it has 2 entries, not as many as it says", "its hash is not that of the last entry"]
    other = {**document, "who": 2}
    assert flaws(other) == ["entry 1 does not follow the header as it stands"]
