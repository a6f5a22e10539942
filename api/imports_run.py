"""Carries an import out for the request that waits for it, chunk by chunk beside the event loop, and answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import msgspec
from msgspec.structs import replace
from starlette.responses import Response, StreamingResponse

from api.answer import ENCODER, Answer
from api.call import Call
from api.commands import context_of
from api.errors import unavailable
from api.imports_answer import HELD_WHOLE, REMEMBERED_WHOLE, Report, lines
from domain.import_job import Counts
from domain.import_row import ImportRow, counted
from domain.import_scope import Caller, Scopes
from domain.store.importing import CHUNK, Importing
from domain.store.order import Contended, Unavailable

T = TypeVar("T")

AT_ONCE = 2
"""Imports of one process whose chunks are carried out at the same time; the others take turns with them."""

IMPORTERS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="import")
NDJSON = "application/x-ndjson"


async def beside(work: Callable[[], T]) -> T:
    """Do the work beside the event loop, in turn with other imports."""
    return await asyncio.get_running_loop().run_in_executor(IMPORTERS, work)


class Wish(msgspec.Struct, frozen=True):
    """How an import is to be carried out and answered."""

    dry_run: bool
    idempotency_key: str
    in_lines: bool


def wish(call: Call, *, dry_run: bool, idempotency_key: str) -> Wish:
    """What the request asks for; lines of JSON when its Accept header names them."""
    return Wish(dry_run, idempotency_key, NDJSON in (call.header(b"accept") or ""))


def scopes(call: Call, audience: str, client: str) -> Scopes:
    """Resolves scopes for the caller from the directory in memory."""
    caller, directory = call.caller, call.wiring.directory.now

    def number_of(slug: str) -> int | None:
        found = directory.audience(caller.organization_id, slug)
        return None if found is None else found.number

    own = Caller(caller.organization_id, caller.number, caller.slug)
    return Scopes(own, number_of, audience=audience, client=client)


class Run:
    """One import. ``rows`` is read, and carried out, beside the event loop only."""

    def __init__(self, call: Call, rows: Iterator[ImportRow], wanted: Wish) -> None:
        self._call = call
        self._wish = wanted
        context = replace(context_of(call), source="import")
        self._importing = Importing(call.wiring.store, context, dry_run=wanted.dry_run)
        self._chunks = self._importing.chunks(rows, CHUNK)

    async def answer(self) -> Answer | Response:
        """Carry all of it out. Raises Unavailable: what was done by then stands, and may be sent again."""
        report = Report(dry_run=self._wish.dry_run, idempotency_key=self._wish.idempotency_key)
        try:
            while await beside(lambda: self._report_on(report)):
                pass
            position = self._importing.position or await asyncio.to_thread(self._call.wiring.store.recorder.head)
        except BaseException:
            report.close()
            raise
        ticket = self._call.ticket
        if report.size <= (REMEMBERED_WHOLE if ticket else HELD_WHOLE):
            return report.answer(position)
        if ticket:
            ticket.done = True
        return report.response(position)

    def answer_in_lines(self, release: Callable[[], None]) -> Response:
        """A line for each row as it is done. ``release`` is called when the last one is.

        Such an answer is never remembered under an Idempotency-Key: a repeat is carried out again, and changes nothing.
        A client that hangs up stops the import behind the chunk that is on its way.
        """
        if self._call.ticket:
            self._call.ticket.done = True
        return StreamingResponse(self._lines(release), media_type=NDJSON, headers={"cache-control": "no-store"})

    async def _lines(self, release: Callable[[], None]) -> AsyncIterator[bytes]:
        counts = Counts()
        try:
            while rows := await beside(self._carry_out):
                counts += counted(rows)
                yield lines(rows, dry_run=self._wish.dry_run)
            yield ENCODER.encode({"counts": counts}) + b"\n"
        except (Unavailable, Contended):
            yield ENCODER.encode({"error": unavailable().error, "counts": counts}) + b"\n"
        finally:
            release()

    def _carry_out(self) -> Sequence[ImportRow]:
        return next(self._chunks, ())

    def _report_on(self, report: Report) -> bool:
        rows = self._carry_out()
        report.add(rows)
        return bool(rows)
