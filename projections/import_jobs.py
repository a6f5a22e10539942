"""Every import job with its counts so far, for whoever wants to see which files were imported."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain.decider import Event
from domain.import_job import (
    Counts,
    ImportFailed,
    ImportFinished,
    ImportProgressed,
    ImportQueued,
    ImportRemoved,
    ImportStarted,
    Status,
)
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows, Table

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS import_jobs (
    import_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    list_id bigint NOT NULL, -- the recipient list whose members the file names; 0: it names contacts
    dry_run boolean NOT NULL,
    status text NOT NULL, -- queued, running, succeeded or failed
    total bigint NOT NULL, -- of the rows that are done; the next five add up to it
    created bigint NOT NULL,
    updated bigint NOT NULL,
    unchanged bigint NOT NULL,
    skipped bigint NOT NULL,
    invalid bigint NOT NULL,
    removed bigint NOT NULL, -- members taken off the list, which the file does not name
    created_at timestamptz NOT NULL,
    started_at timestamptz,
    progressed_at timestamptz, -- when the last rows were done
    finished_at timestamptz,
    failure text NOT NULL -- why it failed, empty unless it did
);
"""
INDEXES: LiteralString = """
CREATE UNIQUE INDEX IF NOT EXISTS import_jobs_client ON import_jobs (client_id, import_id);
CREATE INDEX IF NOT EXISTS import_jobs_list ON import_jobs (list_id, import_id) WHERE list_id > 0;
"""


class ImportJobRow(msgspec.Struct, frozen=True):
    """What the table's comments say, column by column."""

    import_id: int
    organization_id: int
    client_id: int
    list_id: int
    dry_run: bool
    created_at: datetime
    status: Status = "queued"
    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    invalid: int = 0
    removed: int = 0
    started_at: datetime | None = None
    progressed_at: datetime | None = None
    finished_at: datetime | None = None
    failure: str = ""


def _number(recorded: Recorded) -> int:
    return recorded.stream.int & (1 << 96) - 1


def _progressed(row: ImportJobRow, at: datetime, counts: Counts) -> ImportJobRow:
    done = {name: getattr(row, name) + getattr(counts, name) for name in Counts.__struct_fields__}
    return replace(row, progressed_at=at, **done)


def evolve(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """The job's only row."""
    number = _number(recorded)
    if isinstance(event, ImportQueued):
        scope = (event.organization_id, event.client_id, event.list_id)
        return {number: ImportJobRow(number, *scope, event.dry_run, created_at=event.at)}
    row = rows[number]
    match event:
        case ImportStarted(at=at):
            return {number: replace(row, status="running", started_at=at, progressed_at=at)}
        case ImportProgressed(at=at, counts=counts):
            return {number: _progressed(row, at, counts)}
        case ImportRemoved(at=at, removed=removed):
            return {number: replace(row, progressed_at=at, removed=row.removed + removed)}
        case ImportFinished(at=at):
            return {number: replace(row, status="succeeded", finished_at=at)}
        case ImportFailed(at=at, code=code):
            return {number: replace(row, status="failed", finished_at=at, failure=code)}
    return rows


PROJECTION: Final = Projection(
    name="import_jobs",
    version=2,
    events=(ImportQueued, ImportStarted, ImportProgressed, ImportRemoved, ImportFinished, ImportFailed),
    ddl=DDL,
    indexes=INDEXES,
    fold=RowFold(
        tables=(
            Table(
                name="import_jobs",
                row=ImportJobRow,
                key=("import_id",),
                group="import_id",
                place=attrgetter("import_id"),
            ),
        ),
        group_of=_number,
        evolve=evolve,
    ),
)
