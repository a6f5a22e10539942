"""Members of a recipient list in a file: NDJSON, a member on each line as a bulk upsert takes it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from domain.decider import Rejected
from domain.email_address import normalize
from domain.import_facts import Counts
from domain.import_row import Action
from domain.recipient import METADATA_LIMIT, key_problem, metadata_text
from domain.reconciling import Wanted
from domain.seen_addresses import SeenAddresses
from domain.storable import storable

FILE_LIMIT: Final = 512 * 1024 * 1024
"""Bytes of a file."""
LINES_LIMIT: Final = 1_000_000
LINE_LIMIT: Final = 256 * 1024
"""Bytes of a line; a longer one is passed over and refused."""
MARK: Final = b"\xef\xbb\xbf"

Line = tuple[int, bytes | None]
"""Its number from 1, and what it says; None for one that is too long."""


class ListRow(msgspec.Struct, kw_only=True):
    """A line that is not empty, and after it was carried out what became of it.

    ``item`` counts rows from 1. ``member`` is None when ``errors`` hold. ``source_object_key`` is the key that the line
    names, empty when it names none.
    """

    item: int
    line: int
    source_object_key: str = ""
    member: Wanted | None = None
    errors: dict[str, str] | None = None
    action: Action = "invalid"


def counted(rows: Iterable[ListRow]) -> Counts:
    """The counts of some rows."""
    numbers = Counter[str](row.action for row in rows)
    return Counts(total=numbers.total(), **numbers)


def lines_of(blocks: Iterable[bytes]) -> Iterator[Line]:
    """The lines of a file that comes in blocks; memory holds a block and a line."""
    number, line, long = 1, bytearray(), False
    for block in blocks:
        for place, part in enumerate(block.split(b"\n")):
            if place:
                yield number, None if long else bytes(line)
                number, long = number + 1, False
                line.clear()
            long = long or len(line) + len(part) > LINE_LIMIT
            if not long:
                line += part
    if line or long:
        yield number, None if long else bytes(line)


def checked(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Pass a file on as it comes, unless it is none of members.

    Raises Rejected on ``file``: ``not_ndjson`` when its first line that is not empty is no JSON object, ``empty`` when
    there is none, ``too_many`` beyond a million lines.
    """
    lines, head, known = 0, b"", False
    for block in blocks:
        lines += block.count(b"\n")
        if lines > LINES_LIMIT:
            raise Rejected("too_many", "file")
        if not known:
            head = (head + block).removeprefix(MARK).lstrip()
            known = b"\n" in head or len(head) > LINE_LIMIT
            if known:
                check_first(head)
        yield block
    if not known:
        check_first(head)


def check_first(text: bytes) -> None:
    """Raise Rejected unless the text begins with a line that is a JSON object, or one too long to be told."""
    if not text:
        raise Rejected("empty", "file")
    first = text.partition(b"\n")[0]
    try:
        is_object = len(first) > LINE_LIMIT or isinstance(msgspec.json.decode(first), dict)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        is_object = False
    if not is_object or not first.startswith(b"{"):
        raise Rejected("not_ndjson", "file")


class ListFile:
    """The rows of a file, in order, once; and which members it has named so far."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        self._lines = lines_of(blocks)
        self._named = SeenAddresses()
        self._refused = SeenAddresses()

    def rows(self) -> Iterator[ListRow]:
        """Each line that is not empty; of several with one key the first good one counts."""
        item = 0
        for number, line in self._lines:
            text = line.removeprefix(MARK) if line and number == 1 else line
            if text is None or text.strip():
                item += 1
                row = read_row(item, number, text)
                self._note(row)
                yield row

    def names(self, source_object_key: str) -> bool:
        """Tell whether a line named the member, be it one that was refused."""
        digests = ((seen, seen.digest(source_object_key)) for seen in (self._named, self._refused))
        return any(seen.item_of(digest) for seen, digest in digests)

    def _note(self, row: ListRow) -> None:
        if not row.source_object_key:
            return
        seen = self._named if row.errors is None else self._refused
        digest = seen.digest(row.source_object_key)
        if not seen.item_of(digest):
            seen.add(digest, row.item)
        elif row.errors is None:
            row.member, row.errors = None, {"source_object_key": "duplicate"}


def read_row(item: int, number: int, text: bytes | None) -> ListRow:
    """Read a line, or say what is wrong with it."""
    row = ListRow(item=item, line=number)
    if text is None:
        row.errors = {"line": "too_long"}
        return row
    try:
        given = msgspec.json.decode(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        row.errors = {"line": "invalid_json"}
        return row
    if isinstance(given, dict):
        read_member(row, given)
    else:
        row.errors = {"line": "must_be_object"}
    return row


def read_member(row: ListRow, given: dict[str, Any]) -> None:
    """Take the member, or every field of it that is wrong."""
    key, email, metadata = given.get("source_object_key"), given.get("email"), given.get("metadata")
    errors: dict[str, str] = {}
    if code := text_problem(key) or key_problem(str(key)):
        errors["source_object_key"] = code
    else:
        row.source_object_key = str(key)
    if code := text_problem(email):
        errors["email"] = code
    else:
        try:
            email = normalize(str(email))
        except Rejected as refusal:
            errors |= refusal.fields
    if "metadata" in given and (code := metadata_problem(metadata)):
        errors["metadata"] = code
    if errors:
        row.errors = errors
    else:
        row.member = Wanted(source_object_key=row.source_object_key, email=str(email), metadata=metadata)


def text_problem(value: object) -> str:
    """Give the code of what is wrong with a text that must be there; empty when nothing is."""
    if value is None:
        return "required"
    return "" if isinstance(value, str) else "must_be_string"


def metadata_problem(value: object) -> str:
    """Give the code of what is wrong with metadata; empty when nothing is."""
    if not isinstance(value, dict):
        return "must_be_object"
    if not storable(value):
        return "invalid"
    return "too_large" if len(metadata_text(value)) > METADATA_LIMIT else ""
