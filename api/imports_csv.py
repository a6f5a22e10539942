"""``POST /api/contacts/imports/csv``: a CSV file, carried out at once or as a job."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from msgspec import UNSET, UnsetType
from starlette.responses import Response

from api.answer import Answer
from api.call import Call
from api.errors import Invalid
from api.fields import said
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.import_jobs import queue
from api.imports_run import Run, beside, scopes, wish
from api.imports_spool import Spool
from api.imports_upload import CsvImport, Upload, receive
from api.scalars import Errors
from api.scope import check_scope
from domain.contact_rows import columns, rows_of
from domain.csv_rows import Table, read_table
from domain.decider import Rejected


async def import_csv(call: Call) -> Answer | Response:
    """Receive the file, check it as a whole, and carry it out. Nothing is written when it is refused."""
    spool = Spool()
    try:
        upload = await receive(call, spool)
        work = partial(carry_out, call, spool, upload)
        key = call.header(IDEMPOTENCY_KEY)
        answer = await (work() if key is None else call.wiring.idempotency.once(call, key, upload.digest, work))
    except BaseException:
        spool.close()
        raise
    if isinstance(answer, Answer):
        spool.close()
    return answer


async def carry_out(call: Call, spool: Spool, upload: Upload) -> Answer | Response:
    """Carry out a received file. Raises Invalid when it, or what was said beside it, is wrong as a whole."""
    asked, errors = upload.asked, upload.errors
    table = await beside(partial(opened, spool, errors))
    if asked is not None:
        check_defaults(call, asked, table, errors)
    if errors or table is None or asked is None:
        raise Invalid(errors)
    audience, client = text(asked.audience), text(asked.client)
    if said(asked.in_background):
        return await queue(call, spool, audience=audience, client=client, dry_run=bool(said(asked.dry_run)))
    wanted = wish(call, dry_run=bool(said(asked.dry_run)), idempotency_key=text(asked.idempotency_key))
    run = Run(call, rows_of(table, scopes(call, audience, client), partial(datetime.now, UTC)), wanted)
    if wanted.in_lines:
        return run.answer_in_lines(spool.close)
    try:
        return await run.answer()
    finally:
        spool.close()


def opened(spool: Spool, errors: Errors) -> Table | None:
    """The file's table, unless something is wrong with all of it."""
    if "csv" in errors:
        return None
    try:
        table = read_table(spool.blocks())
        columns(table.header)
    except Rejected as refusal:
        errors.update(refusal.fields)
        return None
    return table


def check_defaults(call: Call, asked: CsvImport, table: Table | None, errors: Errors) -> None:
    """The scope beside the file must be the caller's; it must be there when the file has no columns for it."""
    given = {"audience": text(asked.audience), "client": text(asked.client)}
    check_scope({name: slug for name, slug in given.items() if slug}, call.caller, call.wiring.directory.now, errors)
    if table is not None:
        there = columns(table.header)
        errors.update({name: "required" for name, slug in given.items() if not slug and name not in there})


def text(value: str | UnsetType) -> str:
    """What was said, empty when nothing was."""
    return "" if value is UNSET else value.strip()
