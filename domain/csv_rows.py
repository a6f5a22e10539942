"""Reads a CSV file of any size from blocks of bytes: a header, then rows with the line that each one starts on.

RFC 4180 with any line end (LF, CRLF, CR), an optional byte-order mark and strict quotes. A row that is malformed is
given as such and costs only itself: reading goes on at the line after the one that it starts on, so a quote that is
never closed cannot swallow the rest of the file. Memory holds a block and one record.
"""

from __future__ import annotations

import csv
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Generator, Iterable, Iterator
from io import StringIO
from typing import NamedTuple

import msgspec

from domain.decider import Rejected

CELL_LIMIT = 64 * 1024
"""Bytes of UTF-8 that a cell may have (contract, Bad files)."""

RECORD_LIMIT = 1024 * 1024
"""Characters of a record, and how far the end of a quoted cell is looked for."""

PATIENCE = 1024 * RECORD_LIMIT
"""Characters that may be read in vain behind quotes that are never closed; after that no cell may span lines."""

MAX_BYTES_A_CHARACTER = 4
ALWAYS_SHORT = CELL_LIMIT // MAX_BYTES_A_CHARACTER

csv.field_size_limit(RECORD_LIMIT + 1)


class Malformed(msgspec.Struct, frozen=True):
    """A row that cannot be read: what is wrong, in which column (None: the row as a whole), and its cells if known.

    Codes: ``too_many_cells``, ``invalid`` (U+0000), ``too_long`` (a cell over 64 KiB, a row over a million characters),
    ``unterminated_quote``, ``invalid_quote`` (text after a closing quote).
    """

    code: str
    column: int | None = None
    cells: list[str] = []


Row = tuple[int, list[str] | Malformed]
"""The line that the row starts on, the header's being 1, and its cells; fewer than the header's in a short row."""


class Table(msgspec.Struct, frozen=True):
    """An opened file: the header's cells, and the rows behind it. Empty lines are no rows."""

    header: list[str]
    rows: Iterator[Row]


def read_table(blocks: Iterable[bytes]) -> Table:
    """Open a file. Raises Rejected on ``csv``: ``required``, ``missing_header`` or ``must_be_utf8``.

    Reading the rows raises Rejected ``must_be_utf8`` too, where the bytes stop being UTF-8.
    """
    records = Records().read(lines_of(blocks))
    try:
        _, header = next(records)
    except StopIteration:
        raise Rejected("missing_header", "csv") from None
    if isinstance(header, Malformed):
        # UTF-16 without a byte-order mark is valid UTF-8 full of U+0000.
        raise Rejected("must_be_utf8" if header.code == "invalid" else "missing_header", "csv")
    if not header:
        raise Rejected("missing_header", "csv")
    return Table(header, rows_within(records, len(header)))


def rows_within(records: Iterator[Row], width: int) -> Iterator[Row]:
    """The rows that are not empty; one with more cells than the header is malformed."""
    for line, cells in records:
        if type(cells) is list:
            if len(cells) > width:
                yield line, Malformed("too_many_cells", None, cells)
            elif cells:
                yield line, cells
        else:
            yield line, cells


class Lines(NamedTuple):
    """Some whole physical lines with their ends. ``plain``: short, no U+0000. ``last``: the file has no more."""

    lines: list[str]
    plain: bool
    last: bool = False


def lines_of(blocks: Iterable[bytes]) -> Iterator[Lines]:
    """Decode blocks and cut them into physical lines. Raises Rejected: ``required`` without bytes, ``must_be_utf8``.

    Of a line longer than a record may be, only what shows that it is too long is kept.
    """
    decoder = getincrementaldecoder("utf-8-sig")()
    rest, empty = "", True
    for block in blocks:
        empty = empty and not block
        text = decoded(decoder, block)
        if len(rest) > RECORD_LIMIT and not rest.endswith("\r"):
            text = text[line_end(text) :]
        text = rest + text
        # A CR at the very end may be the first half of a CRLF.
        end = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        rest = text[end:]
        if end:
            yield Lines(*cut(text[:end]))
    rest += decoded(decoder, b"", final=True)
    if empty:
        raise Rejected("required", "csv")
    yield Lines(*cut(rest), last=True)


def decoded(decoder: IncrementalDecoder, block: bytes, *, final: bool = False) -> str:
    """Decode a block. Raises Rejected ``must_be_utf8``."""
    try:
        return decoder.decode(block, final)
    except UnicodeDecodeError:
        raise Rejected("must_be_utf8", "csv") from None


def line_end(text: str) -> int:
    """Where the first line of the text ends, before its CR or LF; the text's length when it goes on."""
    ends = [end for end in (text.find("\n"), text.find("\r")) if end >= 0]
    return min(ends, default=len(text))


def cut(text: str) -> tuple[list[str], bool]:
    """The physical lines of a text, and whether all are plain."""
    lines = list(StringIO(text, newline=""))
    return lines, "\0" not in text and max(map(len, lines), default=0) <= ALWAYS_SHORT


class Records:
    """Puts physical lines together to records, with the line that each starts on; empty ones too."""

    def __init__(self) -> None:
        self._held: list[str] = []
        self._line = 1
        self._patience = PATIENCE

    def read(self, batches: Iterable[Lines]) -> Iterator[Row]:
        """All records of the file. What a batch begins and does not end is held for the next one."""
        for batch in batches:
            lines = self._held + batch.lines
            plain = batch.plain and not self._held
            at = 0
            while at < len(lines):
                window = lines[at:] if self._patience > 0 else lines[at : at + 1]
                good, failed = yield from self._read(window, self._line + at, plain=plain)
                at += good
                if failed is None:
                    continue
                if not batch.last and at + failed.lines == len(lines) and self._may_go_on(failed):
                    break
                self._patience -= failed.size if failed.lines > 1 else 0
                yield self._line + at, failed.row
                at += 1
            self._held, self._line = lines[at:], self._line + at

    def _may_go_on(self, failed: Failed) -> bool:
        return failed.size <= RECORD_LIMIT and self._patience > 0

    def _read(self, lines: list[str], line: int, *, plain: bool) -> Generator[Row, None, tuple[int, Failed | None]]:
        """Read records up to one that cannot be read; gives the number of lines before it."""
        reader = csv.reader(lines, strict=True)
        good = 0
        try:
            for cells in reader:
                end = reader.line_num
                yield line + good, cells if plain and end == good + 1 else checked(cells)
                good = end
        except csv.Error as error:
            return good, failure(lines[good : reader.line_num], str(error))
        return good, None


class Failed(NamedTuple):
    """A record that could not be read: how many lines and characters of it were looked at, and the row to give."""

    lines: int
    size: int
    row: Malformed


def failure(lines: list[str], reason: str) -> Failed:
    """Say what is wrong with a record that starts at the first of these lines and could not be read to their end."""
    if len(lines[0]) > RECORD_LIMIT:
        code = "too_long"
    elif len(lines) > 1 or reason == "unexpected end of data":
        code = "unterminated_quote"
    else:
        code = "invalid_quote"
    return Failed(len(lines), sum(map(len, lines)), Malformed(code))


def checked(cells: list[str]) -> list[str] | Malformed:
    """The cells, unless one is too long or holds what a database cannot."""
    for column, cell in enumerate(cells):
        if "\0" in cell:
            return Malformed("invalid", column, cells)
        if len(cell) > ALWAYS_SHORT and len(cell.encode()) > CELL_LIMIT:
            return Malformed("too_long", column, cells)
    return cells
