"""``GET /api/contacts.csv``: the rows are written as CSV by Postgres, a page at a time.

No statement is under way while a page goes out, so a download that is slow, or given up, holds neither a transaction
nor a connection; memory holds one page.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from msgspec import UNSET, Meta, UnsetType
from psycopg.rows import tuple_row
from starlette.responses import Response, StreamingResponse

from api.call import Call
from api.exports import FILTERED, Filters, parameters
from api.fields import said
from api.positions import Pool
from api.scalars import INTEGER

LIMIT: Final = 10_000
"""Rows of an export that asks for no limit, and the highest limit that is a number (seed)."""

PAGE: Final = 5_000
EVERYTHING: Final = 2**62

HEADER: Final = (
    b"email,audience,client,tags,subscription_status,verified,verified_at,email_validation_status,"
    b"email_validation_reason,email_validated_at,global_unsubscribed,hard_bounced,complained,unsubscribed,"
    b"unsubscribed_at,unsubscribe_reason,updated_at\r\n"
)

TEXT: Final = """CASE
        WHEN {0} ~ '^([-=+@\t\r]|''[-=+@\t\r''])' THEN '"''' || replace({0}, '"', '""') || '"'
        WHEN {0} ~ '[",\r\n]' THEN '"' || replace({0}, '"', '""') || '"'
        ELSE {0}
    END"""
"""A cell of free text: hidden from spreadsheets where it looks like a formula, quoted where RFC 4180 asks for it."""

TIME: Final = "coalesce(replace((({0}) AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z', '')"
"""A time, with a fraction only where there is one."""

TRUTH: Final = "CASE WHEN {0} THEN 'True' ELSE 'False' END"

SELECT: Final = f"""
SELECT count(*), max(contact_id), convert_to(string_agg(line, '' ORDER BY contact_id), 'UTF8') FROM (
    SELECT c.contact_id, concat_ws(',',
        {TEXT.format("c.email")},
        %(audience)s::text,
        %(client)s::text,
        array_to_string(c.tags, ';'),
        c.status,
        {TRUTH.format("c.verified_at IS NOT NULL OR c.globally_verified_at IS NOT NULL")},
        {TIME.format("coalesce(c.verified_at, c.globally_verified_at)")},
        c.validation_status,
        {TEXT.format("c.validation_reason")},
        {TIME.format("c.validated_at")},
        {TRUTH.format("c.global_unsubscribed")},
        {TRUTH.format("c.hard_bounced")},
        {TRUTH.format("c.complained")},
        {TRUTH.format("c.status = 'unsubscribed'")},
        {TIME.format("c.unsubscribed_at")},
        {TEXT.format("c.unsubscribe_reason")},
        {TIME.format("c.updated_at")} || E'\\r\\n'
    ) AS line
    FROM contacts c WHERE {FILTERED} ORDER BY c.contact_id LIMIT %(page)s
) AS page
"""


def guarded(slug: str) -> str:
    """A slug as a cell: one that begins with ``-`` looks like a formula too."""
    return f"'{slug}" if slug.startswith("-") else slug


def limit_code(text: str) -> str | None:
    """What is wrong with a limit; ``all`` lifts it (an extension of the seed)."""
    if text.strip().lower() == "all":
        return None
    if not INTEGER.fullmatch(text.strip()):
        return "must_be_integer"
    return None if 1 <= int(text) <= LIMIT else f"must_be_between_1_and_{LIMIT}"


Limit = Annotated[
    str, Meta(extra={"check": limit_code, "checked_codes": ("must_be_integer", f"must_be_between_1_and_{LIMIT}")})
]


class ExportCsv(Filters, kw_only=True):
    """Which contacts, and how many at most: 10,000 unless said otherwise."""

    limit: Limit | UnsetType = UNSET


async def export_csv(call: Call, given: ExportCsv) -> Response:
    """The contacts as a file, in the order of their numbers. Raises psycopg's OperationalError before it begins."""
    asked = (said(given.limit) or str(LIMIT)).strip().lower()
    pages = Pages(call, given, EVERYTHING if asked == "all" else int(asked))
    first = await pages.next()
    headers = {
        "content-disposition": 'attachment; filename="contacts.csv"',
        "cache-control": "no-store",
        "datamailer-position": str(call.reflected),
    }
    return StreamingResponse(pages.all_from(first), media_type="text/csv; charset=utf-8", headers=headers)


class Pages:
    """The lines of an export, page by page."""

    def __init__(self, call: Call, given: Filters, limit: int) -> None:
        self._pool: Pool = call.wiring.reads
        slugs = {"audience": guarded(call.audience.slug), "client": guarded(call.caller.slug)}
        self._parameters: dict[str, Any] = parameters(call, given) | slugs
        self._left = limit

    async def next(self) -> bytes:
        """The next lines; nothing when there are no more."""
        page = min(self._left, PAGE)
        if not page:
            return b""
        # A client that hangs up must not tear the connection out of the pool's hands.
        count, last, lines = await asyncio.shield(self._read(page))
        self._parameters["after"] = last
        self._left = self._left - count if count == page else 0
        return bytes(lines or b"")

    async def _read(self, page: int) -> tuple[Any, ...]:
        async with self._pool.connection() as connection:
            cursor = connection.cursor(binary=True, row_factory=tuple_row)
            await cursor.execute(SELECT, self._parameters | {"page": page}, prepare=True)
            return await cursor.fetchone() or (0, None, None)

    async def all_from(self, first: bytes) -> AsyncIterator[bytes]:
        """The header and every page."""
        yield HEADER + first
        while page := await self.next():
            yield page
