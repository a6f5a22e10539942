"""Receives a CSV file, whatever way it is sent, without holding it in memory: a form, JSON, or the body itself."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.call import Call, is_json
from api.errors import payload_too_large, unsupported_media_type
from api.fields import Slug
from api.imports_multipart import Form
from api.imports_spool import Spool
from api.readers import decode_json, read_object, read_query
from api.scalars import Errors

CSV_LIMIT = 512 * 1024 * 1024
"""Bytes that a CSV may have (contract, Errors)."""

FORM_LIMIT = CSV_LIMIT + 1024 * 1024
FORM = b"multipart/form-data"
CSV = b"text/csv"
CONSUMES = ("multipart/form-data", "application/json", "text/csv")
FILE_FIELDS = frozenset({"file", "csv"})


class CsvImport(msgspec.Struct, kw_only=True):
    """A CSV file: ``file`` of a form, ``csv`` of a JSON object, or the body itself with all else in the query.

    ``async`` in the query makes it a job, answered with 202 at once. See the answers of ``/api/imports/{id}``.
    """

    file: str | UnsetType = UNSET
    csv: str | UnsetType = UNSET
    audience: Slug | UnsetType = UNSET
    client: Slug | UnsetType = UNSET
    dry_run: bool | UnsetType = UNSET
    idempotency_key: Annotated[str, Meta(max_length=255)] | UnsetType = UNSET
    in_background: bool | UnsetType = msgspec.field(default=UNSET, name="async")


class Upload(msgspec.Struct):
    """A received file: what was said beside it, if it could be read, what was wrong, and what stands for all of it."""

    asked: CsvImport | None
    errors: Errors
    digest: bytes


class Incoming:
    """Where the file's bytes go. Once they are no UTF-8 the rest is read and dropped."""

    def __init__(self, spool: Spool) -> None:
        self.digest = blake2b(digest_size=16)
        self._spool = spool
        self._decoder = getincrementaldecoder("utf-8")()
        self._readable = True

    def take(self, piece: bytes | memoryview) -> None:
        """Take the next bytes. Raises ApiError 413."""
        if self._spool.size + len(piece) > CSV_LIMIT:
            raise payload_too_large(CSV_LIMIT)
        self._check(bytes(piece), final=False)
        if self._readable:
            self.digest.update(piece)
            self._spool.write(piece)

    def finish(self, errors: Errors) -> None:
        """Note what is wrong with the file as a whole."""
        self._check(b"", final=True)
        if not self._readable:
            errors["csv"] = "must_be_utf8"
        elif not self._spool.size:
            errors.setdefault("csv", "required")

    def _check(self, piece: bytes, *, final: bool) -> None:
        try:
            if self._readable:
                self._decoder.decode(piece, final)
        except UnicodeDecodeError:
            self._readable = False


async def receive(call: Call, spool: Spool) -> Upload:
    """Read the whole request. Raises ApiError 413 and 415, Invalid for a body that is not what it says."""
    essence = call.raw_headers.get(b"content-type", b"application/json").partition(b";")[0].strip().lower()
    incoming, errors = Incoming(spool), Errors()
    if essence == FORM:
        asked = await receive_form(call, incoming, errors)
    elif essence == CSV:
        await stream(call, incoming.take, CSV_LIMIT)
        asked = read_query(CsvImport, call.query, errors)
    elif is_json(essence):
        asked = await receive_json(call, incoming, errors)
    else:
        raise unsupported_media_type(*CONSUMES)
    incoming.finish(errors)
    incoming.digest.update(msgspec.json.encode(asked))
    return Upload(asked, errors, incoming.digest.digest())


async def receive_form(call: Call, incoming: Incoming, errors: Errors) -> CsvImport | None:
    """A form with the file in ``file`` (or ``csv``); fields may also stand in the query."""
    form = Form(call.header(b"content-type") or "", FILE_FIELDS, incoming.take)
    await stream(call, form.feed, FORM_LIMIT)
    return read_query(CsvImport, {**call.query, **form.finish()}, errors)


async def receive_json(call: Call, incoming: Incoming, errors: Errors) -> CsvImport | None:
    """An object with the file's text in ``csv``."""
    said: Any = decode_json(await call.read())
    text = said.pop("csv", "") if isinstance(said, dict) else ""
    if isinstance(text, str):
        try:
            incoming.take(text.encode())
        except UnicodeEncodeError:
            errors["csv"] = "invalid"
    else:
        errors["csv"] = "must_be_string"
    asked = read_object(CsvImport, said, errors)
    in_background = read_query(CsvImport, {"async": call.query.get("async", "")}, errors)
    if asked is not None and in_background is not None:
        asked.in_background = in_background.in_background
    return asked


async def stream(call: Call, take: Callable[[bytes], object], limit: int) -> None:
    """Pass the body on as it comes. Raises ApiError 413, ClientDisconnect."""
    declared = call.raw_headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise payload_too_large(limit)
    size = 0
    async for piece in call.stream():
        size += len(piece)
        if size > limit:
            raise payload_too_large(limit)
        if piece:
            take(piece)
