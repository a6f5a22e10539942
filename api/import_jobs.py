"""Import jobs: a file that was handed in to be imported in the background, and what became of it so far."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import AsyncIterator
from datetime import datetime
from io import StringIO
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from starlette.responses import Response, StreamingResponse

from api.answer import Answer, json_answer
from api.call import NUMBER_LIMIT, Call
from api.commands import load, submit
from api.errors import not_found
from api.imports_run import beside
from api.imports_spool import Spool
from domain import import_job
from domain.import_job import Counts, ImportJob, QueueImport, RowError, Status
from domain.store.import_errors import row_errors
from domain.store.order import Accepted, Loaded
from domain.store.uploads import Uploads

PROJECTION: Final = "import_jobs"
SELECT: Final = """
SELECT import_id, status, dry_run, created_at, started_at, finished_at,
    total, created, updated, unchanged, skipped, invalid
FROM import_jobs WHERE client_id = %s AND list_id = 0 AND import_id < %s ORDER BY import_id DESC LIMIT %s
"""


class JobError(msgspec.Struct, frozen=True):
    """Why nothing came of a row. Addresses are not kept: ``row`` is the line of the file that it starts on."""

    index: int
    item: int
    row: int
    errors: dict[str, str]


class JobPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A job. ``errors`` are the first 1,000; ``failure`` says why it failed, where it did."""

    id: int
    status: Status
    dry_run: bool
    counts: Counts
    rows_per_second: float
    errors: list[JobError]
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    failure: str | UnsetType = UNSET


class JobSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A job without its errors."""

    id: int
    status: Status
    dry_run: bool
    counts: Counts
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class JobPage(msgspec.Struct, frozen=True):
    """Jobs, newest first. ``next_cursor`` is null on the last page."""

    imports: list[JobSummary]
    count: int
    next_cursor: str | None


class JobQuery(msgspec.Struct, kw_only=True):
    """How many jobs, and behind which one."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class JobAnswer(msgspec.Struct, frozen=True):
    """The answer of the routes of jobs."""

    job: JobPayload = msgspec.field(name="import")


def payload(number: int, state: ImportJob) -> JobPayload:
    """What a client sees of a job."""
    return JobPayload(
        id=number,
        status=state.status,
        dry_run=state.dry_run,
        counts=state.counts,
        rows_per_second=rows_per_second(state),
        errors=[JobError(error.item - 1, error.item, error.line, error.fields) for error in state.errors],
        created_at=state.created_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        failure=state.code or UNSET,
    )


def rows_per_second(state: ImportJob) -> float:
    """The rate from the start to the last rows that were done."""
    if state.started_at is None or state.progressed_at is None:
        return 0.0
    seconds = (state.progressed_at - state.started_at).total_seconds()
    return round(state.counts.total / seconds, 1) if seconds > 0 else 0.0


async def list_own(call: Call, given: JobQuery) -> Answer:
    """The caller's jobs."""
    before = NUMBER_LIMIT if given.cursor is UNSET else given.cursor
    async with call.wiring.reads.connection() as connection:
        asked = (call.caller.number, before, given.limit + 1)
        cursor = await connection.execute(SELECT, asked, prepare=True)
        rows = await cursor.fetchall()
    jobs = [
        JobSummary(
            id=number,
            status=status,
            dry_run=dry_run,
            counts=Counts(*counts),
            created_at=created_at,
            started_at=started_at,
            finished_at=finished_at,
        )
        for number, status, dry_run, created_at, started_at, finished_at, *counts in rows[: given.limit]
    ]
    more = str(jobs[-1].id) if len(rows) > given.limit else None
    return json_answer(JobPage(jobs, len(jobs), more), position=call.reflected)


async def queue(call: Call, spool: Spool, *, audience: str, client: str, dry_run: bool) -> Answer:
    """Keep the file, sealed, and queue its job."""
    uploads = Uploads(call.wiring.store.conninfo, call.wiring.store.keyring)
    upload = await beside(lambda: uploads.add(spool.blocks()))
    command = QueueImport(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        audience=audience,
        client=client,
        dry_run=dry_run,
    )
    answer = await submit(call, import_job.decider, command, queued, key=str(upload))
    await asyncio.to_thread(uploads.announce)
    return answer


def queued(outcome: Accepted) -> Answer:
    """The job as it begins."""
    body = JobAnswer(payload(outcome.number, outcome.state))
    return json_answer(body, status=202, position=outcome.position)


async def show(call: Call) -> Answer:
    """The job as it is now."""
    loaded = await own_job(call)
    return json_answer(JobAnswer(payload(loaded.number, loaded.state)), position=loaded.position)


async def errors_csv(call: Call) -> Response:
    """All row errors, a line for each wrong field."""
    loaded = await own_job(call)
    headers = {
        "content-disposition": f'attachment; filename="import-{loaded.number}-errors.csv"',
        "cache-control": "no-store",
        "datamailer-position": str(loaded.position),
    }
    return StreamingResponse(lines(call, loaded.number), media_type="text/csv", headers=headers)


async def own_job(call: Call) -> Loaded:
    """The job that the path names. Raises Invalid ``not_found`` on ``id`` unless it is the caller's."""
    loaded = await load(call, import_job.decider, number=call.number("id"))
    state: ImportJob = loaded.state
    if state.created_at is None or state.client_id != call.caller.number or state.list_id:
        raise not_found("id")
    return loaded


async def lines(call: Call, number: int) -> AsyncIterator[bytes]:
    """The errors as CSV."""
    yield b"item,row,field,code\r\n"
    chunks = row_errors(call.wiring.store, number)
    while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
        yield csv_lines(chunk)


def csv_lines(errors: tuple[RowError, ...]) -> bytes:
    """Some errors as CSV."""
    text = StringIO(newline="")
    writer = csv.writer(text)
    for error in errors:
        writer.writerows((error.item, error.line, field, code) for field, code in error.fields.items())
    return text.getvalue().encode()
