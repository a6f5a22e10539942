"""The answer to an import: what became of each row, the errors, and the counts, whole or line by line."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse

from api.answer import ENCODER, Answer
from api.imports_spool import Spool
from domain.import_job import Counts
from domain.import_row import ImportRow, counted

HELD_WHOLE = 1024 * 1024
"""Bytes up to which an answer is sent from memory."""

REMEMBERED_WHOLE = 16 * 1024 * 1024
"""Bytes up to which an answer is kept for an Idempotency-Key. A longer one is not: the import is carried out again, and
since it changes nothing twice, only its counts tell."""

DRY = {"created": "would_create", "updated": "would_update"}


class ContactRef(msgspec.Struct, frozen=True):
    """The contact that a row is about; ``contact_id`` is null where a dry run would make one."""

    contact_id: int | None
    email: str


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a valid row. ``kept_item`` is the one that brought the same address before."""

    index: int
    item: int
    email: str
    action: str
    contact: ContactRef | None = None
    reason: str = ""
    kept_item: int = 0


class ErrorEntry(msgspec.Struct, frozen=True):
    """Why nothing came of a row. ``row`` is the line of the file that it starts on, null for JSON."""

    index: int
    item: int
    row: int | None
    email: str
    errors: dict[str, str]


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of both imports."""

    dry_run: bool
    idempotency_key: str
    counts: Counts
    results: list[Result]
    errors: list[ErrorEntry]


def entry(row: ImportRow, *, dry_run: bool) -> Result | ErrorEntry:
    """What the answer says of a row."""
    item = row.item
    if row.errors is not None:
        return ErrorEntry(item - 1, item, row.line, row.email, row.errors)
    if row.action == "skipped":
        return Result(item - 1, item, row.email, "skipped", None, "duplicate_input", row.kept_item)
    action = DRY.get(row.action, row.action) if dry_run else row.action
    return Result(item - 1, item, row.email, action, ContactRef(row.number or None, row.email))


def lines(rows: Sequence[ImportRow], *, dry_run: bool) -> bytes:
    """A line of JSON for each row."""
    return ENCODER_LINES([entry(row, dry_run=dry_run) for row in rows])


ENCODER_LINES = msgspec.json.Encoder().encode_lines


class Report:
    """Gathers the entries of an answer, on disk when they are many, until the counts that come first are known."""

    def __init__(self, *, dry_run: bool, idempotency_key: str) -> None:
        self.counts = Counts()
        self._dry_run = dry_run
        self._key = idempotency_key
        self._results = Spool()
        self._errors = Spool()

    def add(self, rows: Sequence[ImportRow]) -> None:
        """Take what became of some rows."""
        entries = [entry(row, dry_run=self._dry_run) for row in rows]
        append(self._results, [e for e in entries if isinstance(e, Result)])
        append(self._errors, [e for e in entries if isinstance(e, ErrorEntry)])
        self.counts += counted(rows)

    @property
    def size(self) -> int:
        """About how many bytes the answer has."""
        return self._results.size + self._errors.size

    def close(self) -> None:
        """Let go of the entries."""
        self._results.close()
        self._errors.close()

    def answer(self, position: int) -> Answer:
        """The answer from memory."""
        body = b"".join(self._parts())
        self.close()
        return Answer(body=body, position=position)

    def response(self, position: int) -> Response:
        """The answer, streamed from where it lies."""
        headers = {"datamailer-position": str(position), "cache-control": "no-store"}
        return StreamingResponse(self._stream(), media_type="application/json", headers=headers)

    async def _stream(self) -> AsyncIterator[bytes]:
        try:
            for part in self._parts():
                yield part
        finally:
            self.close()

    def _parts(self) -> Iterable[bytes]:
        head = {"dry_run": self._dry_run, "idempotency_key": self._key, "counts": self.counts}
        yield ENCODER.encode(head)[:-1] + b',"results":['
        yield from self._results.blocks()
        yield b'],"errors":['
        yield from self._errors.blocks()
        yield b"]}"


def append(spool: Spool, entries: list[Any]) -> None:
    """Add entries to a spooled JSON array."""
    if entries:
        spool.write((b"," if spool.size else b"") + ENCODER.encode(entries)[1:-1])
