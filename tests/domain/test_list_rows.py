"""Members in a file: lines however the file is cut, what is wrong with each, and whom the file names."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import list_rows
from domain.decider import Rejected
from domain.import_job import Counts
from domain.list_rows import LINE_LIMIT, ListFile, checked, counted, lines_of
from domain.reconciling import Wanted

ADA = {"source_object_key": "a", "email": " Ada@Example.com", "metadata": {"n": [1, None]}}


def file_of(*rows: Any) -> ListFile:
    return ListFile([b"\n".join(row if isinstance(row, bytes) else json.dumps(row).encode() for row in rows)])


@given(st.lists(st.binary(max_size=8)), st.lists(st.integers(1, 9), min_size=1))
def test_lines_are_the_same_however_the_file_is_cut(parts: list[bytes], sizes: list[int]) -> None:
    whole, at = b"\n".join(parts), 0
    blocks: list[bytes] = []
    while at < len(whole):
        size = sizes[len(blocks) % len(sizes)]
        blocks.append(whole[at : at + size])
        at += size
    expected = whole.split(b"\n")
    assert list(lines_of(blocks)) == list(enumerate(expected if expected[-1] else expected[:-1], 1))


def test_a_line_too_long_is_passed_over() -> None:
    blocks = [b"x" * LINE_LIMIT, b"\n", b"y" * LINE_LIMIT, b"y", b"y" * 10, b"\nz"]
    assert list(lines_of(blocks)) == [(1, b"x" * LINE_LIMIT), (2, None), (3, b"z")]


def test_a_good_line_is_a_member() -> None:
    [row] = file_of(b"\xef\xbb\xbf" + json.dumps(ADA).encode() + b"\r").rows()
    assert (row.item, row.line, row.errors) == (1, 1, None)
    assert row.member == Wanted(source_object_key="a", email="ada@example.com", metadata={"n": [1, None]})
    [plain] = file_of({"source_object_key": "b", "email": "b@example.com", "other": 1}).rows()
    assert plain.member == Wanted(source_object_key="b", email="b@example.com")


@pytest.mark.parametrize(
    ("row", "errors"),
    [
        (b"nonsense", {"line": "invalid_json"}),
        (b"\xff", {"line": "invalid_json"}),
        (b"[" * 3000, {"line": "invalid_json"}),
        ([ADA], {"line": "must_be_object"}),
        (b"x" * (LINE_LIMIT + 1), {"line": "too_long"}),
        ({}, {"source_object_key": "required", "email": "required"}),
        ({"source_object_key": 1, "email": 2}, {"source_object_key": "must_be_string", "email": "must_be_string"}),
        (ADA | {"source_object_key": " "}, {"source_object_key": "required"}),
        (
            ADA | {"source_object_key": "x" * 256, "email": "nobody"},
            {"source_object_key": "too_long", "email": "invalid"},
        ),
        (ADA | {"source_object_key": "a\x00"}, {"source_object_key": "invalid"}),
        (ADA | {"metadata": None}, {"metadata": "must_be_object"}),
        (ADA | {"metadata": {"a": ["\x00"]}}, {"metadata": "invalid"}),
        (ADA | {"metadata": {"a": "x" * 66_000}}, {"metadata": "too_large"}),
    ],
)
def test_what_is_wrong_with_a_line(row: Any, errors: dict[str, str]) -> None:
    read = list(file_of(row, b"  ", ADA | {"source_object_key": "next"}).rows())
    assert [(each.item, each.line, each.errors) for each in read] == [(1, 1, errors), (2, 3, None)]
    assert read[0].member is None
    assert counted(read[:1]) == Counts(total=1, invalid=1)


def test_a_file_names_its_members_once() -> None:
    wrong = ADA | {"source_object_key": "wrong", "email": "x"}
    file = file_of(ADA, wrong, ADA | {"email": "other@example.com"}, wrong | {"email": "ok@example.com"})
    assert [row.errors for row in file.rows()] == [None, {"email": "invalid"}, {"source_object_key": "duplicate"}, None]
    assert [file.names(key) for key in ("a", "wrong", "b")] == [True, True, False]


@pytest.mark.parametrize(
    ("blocks", "code"),
    [
        ([], "empty"),
        ([b"\xef\xbb\xbf\n ", b"\n"], "empty"),
        ([b"<html>", b"\n"], "not_ndjson"),
        ([b"[{}]"], "not_ndjson"),
        ([b'{"a":', b"1"], "not_ndjson"),
        ([b'"', b"x" * LINE_LIMIT, b'"'], "not_ndjson"),
    ],
)
def test_a_file_that_is_none_of_members(blocks: list[bytes], code: str) -> None:
    with pytest.raises(Rejected) as refused:
        list(checked(blocks))
    assert refused.value.fields == {"file": code}


def test_a_good_file_is_passed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [b"\n\n", b" {", b"}\n", b"anything\n", b"x"]
    assert list(checked(blocks)) == blocks
    monkeypatch.setattr(list_rows, "LINES_LIMIT", 3)
    with pytest.raises(Rejected) as refused:
        list(checked(blocks))
    assert refused.value.fields == {"file": "too_many"}
