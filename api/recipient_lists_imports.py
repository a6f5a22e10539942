"""Imports of members into a recipient list: NDJSON that is fetched from a URL, and carried out in the background."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import NUMBER_LIMIT, Call
from api.commands import load, submit
from api.errors import not_found, refused
from api.import_jobs import JobError, JobQuery, rows_per_second
from api.recipient_lists import found
from api.senders import Trimmed
from domain import import_job
from domain.decider import Rejected
from domain.destination import MAX_URL, destination
from domain.import_job import ImportJob, QueueImport, Status
from domain.store.order import Accepted
from domain.store.uploads import Uploads

SELECT: Final = """
SELECT import_id, status, dry_run, created_at, started_at, finished_at,
    total, created, updated, unchanged, removed, invalid
FROM import_jobs WHERE list_id = %s AND client_id = %s AND import_id < %s ORDER BY import_id DESC LIMIT %s
"""


class ImportMembers(msgspec.Struct, kw_only=True):
    """Members to have on the list: each line of the file at ``url`` is one, as a bulk upsert takes it.

    ``remove_absent`` takes members off whom the file does not name, but for those who came after this request.
    """

    url: Annotated[Trimmed, Meta(max_length=MAX_URL)]
    remove_absent: bool = False
    dry_run: bool = False


class MemberCounts(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the ``total`` lines so far; ``removed`` are members that the file does not name."""

    total: int
    created: int
    updated: int
    unchanged: int
    removed: int
    invalid: int


class ListImportPayload(msgspec.Struct, frozen=True, kw_only=True):
    """An import. ``errors`` are the first 1,000; ``failure`` says why it failed, where it did."""

    id: int
    recipient_list_key: str
    status: Status
    remove_absent: bool
    dry_run: bool
    counts: MemberCounts
    rows_per_second: float
    errors: list[JobError]
    created_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    failure: str | UnsetType = UNSET


class ListImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """An import without its errors."""

    id: int
    status: Status
    dry_run: bool
    counts: MemberCounts
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class ListImportPage(msgspec.Struct, frozen=True):
    """Imports, newest first. ``next_cursor`` is null on the last page."""

    imports: list[ListImportSummary]
    count: int
    next_cursor: str | None


class ListImportAnswer(msgspec.Struct, frozen=True):
    """The import as it is now."""

    job: ListImportPayload = msgspec.field(name="import")


async def queue(call: Call, given: ImportMembers) -> Answer:
    """Queue the import. The URL is kept sealed, and only until the file is here."""
    there = await found(call)
    check_url(call, given.url)
    uploads = Uploads(call.wiring.store.conninfo, call.wiring.store.keyring)
    upload = await asyncio.to_thread(uploads.expect, given.url)
    command = QueueImport(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        dry_run=given.dry_run,
        list_id=there.number,
        remove_absent=given.remove_absent,
    )
    key = there.state.key

    def queued(made: Accepted) -> Answer:
        body = ListImportAnswer(payload(made.number, key, made.state))
        return json_answer(body, status=202, position=made.position)

    answer = await submit(call, import_job.decider, command, queued, key=str(upload))
    await asyncio.to_thread(uploads.announce)
    return answer


def check_url(call: Call, url: str) -> None:
    """Raise Invalid for a URL that would not be fetched, as far as it tells that itself."""
    try:
        destination(url, private_hosts=call.wiring.settings.private_hosts)
    except Rejected as refusal:
        raise refused(refusal) from None


async def list_own(call: Call, given: JobQuery) -> Answer:
    """The list's imports."""
    there = await found(call)
    before = NUMBER_LIMIT if given.cursor is UNSET else given.cursor
    async with call.wiring.reads.connection() as connection:
        asked = (there.number, call.caller.number, before, given.limit + 1)
        cursor = await connection.execute(SELECT, asked, prepare=True)
        rows = await cursor.fetchall()
    imports = [
        ListImportSummary(
            id=number,
            status=status,
            dry_run=dry_run,
            counts=MemberCounts(**dict(zip(MemberCounts.__struct_fields__, counts, strict=True))),
            created_at=created_at,
            started_at=started_at,
            finished_at=finished_at,
        )
        for number, status, dry_run, created_at, started_at, finished_at, *counts in rows[: given.limit]
    ]
    more = str(imports[-1].id) if len(rows) > given.limit else None
    return json_answer(ListImportPage(imports, len(imports), more), position=call.reflected)


async def show(call: Call) -> Answer:
    """The import as it is now. Raises Invalid ``not_found`` on ``id`` unless it is the list's."""
    there = await found(call)
    loaded = await load(call, import_job.decider, number=call.number("id"))
    state: ImportJob = loaded.state
    if state.list_id != there.number or state.client_id != call.caller.number:
        raise not_found("id")
    body = ListImportAnswer(payload(loaded.number, there.state.key, state))
    return json_answer(body, position=loaded.position)


def payload(number: int, key: str, state: ImportJob) -> ListImportPayload:
    """What a client sees of an import."""
    counts = state.counts
    return ListImportPayload(
        id=number,
        recipient_list_key=key,
        status=state.status,
        remove_absent=state.remove_absent,
        dry_run=state.dry_run,
        counts=MemberCounts(
            total=counts.total,
            created=counts.created,
            updated=counts.updated,
            unchanged=counts.unchanged,
            removed=state.removed,
            invalid=counts.invalid,
        ),
        rows_per_second=rows_per_second(state),
        errors=[JobError(error.item - 1, error.item, error.line, error.fields) for error in state.errors],
        created_at=state.created_at,
        started_at=state.started_at,
        finished_at=state.finished_at,
        failure=state.code or UNSET,
    )
