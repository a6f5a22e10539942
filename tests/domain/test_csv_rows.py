"""Any CSV that a spreadsheet writes is read whole, and a malformed row costs only itself."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import csv_rows
from domain.csv_rows import CELL_LIMIT, RECORD_LIMIT, Malformed, read_table
from domain.decider import Rejected


def blocks(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def rows(data: str | bytes, size: int = 7) -> list[tuple[int, list[str] | str]]:
    """The rows of a file that comes in small blocks, a malformed one by its code."""
    table = read_table(blocks(data if isinstance(data, bytes) else data.encode(), size))
    return [(line, cells.code if isinstance(cells, Malformed) else cells) for line, cells in table.rows]


def refused(data: bytes) -> dict[str, str]:
    with pytest.raises(Rejected) as refusal:
        list(read_table(blocks(data, 5)).rows)
    return refusal.value.fields


CELL = st.text(st.sampled_from("ab,;\"' \n\r\té€\U0001f600"), max_size=8)
TABLE = st.integers(1, 4).flatmap(
    lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
)


@given(TABLE, st.sampled_from(["\r\n", "\n", "\r"]), st.integers(1, 20), st.sampled_from(["", "\ufeff"]))
def test_what_a_csv_writer_wrote_is_read_with_the_lines_that_rows_start_on(
    table: list[list[str]], line_end: str, size: int, bom: str
) -> None:
    starts, text = [], bom
    for cells in table:
        starts.append(len(StringIO(text, newline="").readlines()) + 1)
        row = StringIO(newline="")
        csv.writer(row, lineterminator=line_end, quoting=csv.QUOTE_ALL).writerow(cells)
        text += row.getvalue()
    data = text.encode()
    opened = read_table(blocks(data, size))
    assert opened.header == table[0]
    assert list(opened.rows) == list(zip(starts[1:], table[1:], strict=True))


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_lines_count_in_every_convention(line_end: str, size: int) -> None:
    text = line_end.join(["email,tags", "a@x.org,one", "", 'b@x.org,"two', 'lines"', "c@x.org,"])
    quoted = ["b@x.org", f"two{line_end}lines"]
    assert rows(text, size) == [(2, ["a@x.org", "one"]), (4, quoted), (6, ["c@x.org", ""])]


def test_separators_other_than_line_ends_stay_in_their_cell() -> None:
    assert rows("email\na\u2028b\x0bc\x85d\n") == [(2, ["a\u2028b\x0bc\x85d"])]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "required"),
        (b"\n", "missing_header"),
        (b"\xef\xbb\xbf", "missing_header"),
        (b'"email\n', "missing_header"),
        ("email\nn\u00e9e@x.org\n".encode("latin-1"), "must_be_utf8"),
        ("email\na@x.org\n".encode("utf-16"), "must_be_utf8"),
        ("email\na@x.org\n".encode("utf-16-le"), "must_be_utf8"),
        (b"email\n\xed\xa0\x80@x.org\n", "must_be_utf8"),
        (b"email\na@x.org\xc3", "must_be_utf8"),
    ],
)
def test_a_bad_file_is_refused_as_a_whole(data: bytes, code: str) -> None:
    assert refused(data) == {"csv": code}


@pytest.mark.parametrize("size", [1, 5, 1000])
@pytest.mark.parametrize(
    ("bad", "code"),
    [
        ("b@x.org,one,more", "too_many_cells"),
        ("b@x.org,\0", "invalid"),
        ('b@x.org,"one', "unterminated_quote"),
        ('"b@x.org,one', "unterminated_quote"),
        ('b@x.org,"one" more', "invalid_quote"),
        ('b@x.org,"one""', "unterminated_quote"),
    ],
)
def test_rows_around_a_malformed_one_are_read(bad: str, code: str, size: int) -> None:
    text = f'email,tags\na@x.org,"one"\n{bad}\nc@x.org,"one"\nd@x.org,\n'
    good = [["a@x.org", "one"], code, ["c@x.org", "one"], ["d@x.org", ""]]
    assert rows(text, size) == list(zip(range(2, 6), good, strict=True))


def test_the_last_row_needs_no_line_end() -> None:
    assert rows("email\na@x.org") == [(2, ["a@x.org"])]
    assert rows('email\n"a@x.org') == [(2, "unterminated_quote")]


def test_a_quote_in_a_cell_without_quotes_is_a_character() -> None:
    assert rows('email,tags\na@x.org,5" disk\n') == [(2, ["a@x.org", '5" disk'])]


@pytest.mark.parametrize("size", [997, 64 * 1024, 1 << 22])
def test_a_cell_may_have_64_kib(size: int) -> None:
    fits, over = "x" * CELL_LIMIT, "é" * (CELL_LIMIT // 2) + "x"
    text = f"email,tags\na@x.org,{fits}\nb@x.org,{over}\nc@x.org,{'y' * 200_000}\nd@x.org,\n"
    assert rows(text, size) == [(2, ["a@x.org", fits]), (3, "too_long"), (4, "too_long"), (5, ["d@x.org", ""])]


def test_a_long_quoted_cell_with_lines_in_it_is_one_row() -> None:
    lines = "looks@like.a,row\n" * 20_000
    text = f'email,tags\na@x.org,"{lines}"\nb@x.org,\n'
    assert rows(text, 64 * 1024) == [(2, "too_long"), (20_003, ["b@x.org", ""])]


@pytest.mark.parametrize("size", [4096, 1 << 20])
def test_a_line_without_end_is_cut(size: int) -> None:
    endless = "x" * (3 * RECORD_LIMIT)
    assert rows(f"email\n{endless}\r\nb@x.org\r\n", size) == [(2, "too_long"), (3, ["b@x.org"])]
    assert rows(f"email\n{endless}", size) == [(2, "too_long")]
    assert rows(f"email\n{endless}\rb@x.org\r", size) == [(2, "too_long"), (3, ["b@x.org"])]


def test_a_quote_that_is_never_closed_takes_no_other_row_however_long_the_file() -> None:
    rest = "".join(f"u{number}@x.org,\n" for number in range(120_000))
    found = rows(f'email,tags\na@x.org,"oops\n{rest}', 256 * 1024)
    assert found[0] == (2, "unterminated_quote")
    assert len(found) == 120_001
    assert found[-1] == (120_002, ["u119999@x.org", ""])


def test_looking_for_the_end_of_quotes_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """After so much reading in vain no cell may span lines, and the rows that do not are still read."""
    monkeypatch.setattr(csv_rows, "PATIENCE", 1000)
    text = "email,tags\n" + 'a","\n' * 400 + 'b@x.org,"one\ntwo"\nc@x.org,\n'
    found = rows(text, 256)
    assert [line for line, _ in found] == list(range(2, 405))
    assert {code for _, code in found[:401]} == {"unterminated_quote"}
    assert found[401:] == [(403, ['two"']), (404, ["c@x.org", ""])]
