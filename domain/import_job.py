"""The import job: a file that is carried into the log in the background, chunk by chunk.

It is a CSV file of contacts, or with a ``list_id`` NDJSON of members of that recipient list.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from domain.decider import Decider, Event, Rejected
from domain.import_commands import (
    Command,
    FailImport,
    FinishImport,
    QueueImport,
    RecordProgress,
    RecordRemovals,
    StartImport,
)
from domain.import_facts import (
    Counts,
    ImportFailed,
    ImportFinished,
    ImportProgressed,
    ImportQueued,
    ImportRemoved,
    ImportStarted,
    RowError,
    values,
)

__all__ = [
    "SHOWN_ERRORS",
    "Command",
    "Counts",
    "FailImport",
    "FinishImport",
    "ImportFailed",
    "ImportFinished",
    "ImportJob",
    "ImportProgressed",
    "ImportQueued",
    "ImportRemoved",
    "ImportStarted",
    "QueueImport",
    "RecordProgress",
    "RecordRemovals",
    "RowError",
    "StartImport",
    "Status",
    "decide",
    "decider",
    "evolve",
    "values",
]

SHOWN_ERRORS: Final = 1_000
"""Row errors that the state holds; the log has all (contract, Import jobs)."""

Status = Literal["queued", "running", "succeeded", "failed"]


class ImportJob(msgspec.Struct, frozen=True):
    """A job, or with ``created_at`` None none yet. ``code`` is why it failed, ``errors`` are the first ones."""

    organization_id: int = 0
    client_id: int = 0
    audience: str = ""
    client: str = ""
    dry_run: bool = False
    list_id: int = 0
    remove_absent: bool = False
    status: Status = "queued"
    counts: Counts = Counts()
    removed: int = 0
    position: int = 0
    created_at: datetime | None = None
    started_at: datetime | None = None
    progressed_at: datetime | None = None
    finished_at: datetime | None = None
    code: str = ""
    errors: tuple[RowError, ...] = ()


def decide(state: ImportJob, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if isinstance(command, QueueImport):
        return queue(state, command)
    waits = state.created_at is not None and state.status == "queued"
    match command:
        case StartImport(at=at, position=position) if waits:
            return (ImportStarted(at=at, position=position),)
        case FailImport(at=at, code=code) if waits or state.status == "running":
            return (ImportFailed(at=at, code=code),)
    if state.status != "running":
        raise Rejected("not_running", "status")
    match command:
        case RecordProgress():
            return progress(state, command)
        case RecordRemovals():
            return removals(state, command)
        case FinishImport(at=at):
            return (ImportFinished(at=at),)
    return ()


def queue(state: ImportJob, command: QueueImport) -> tuple[Event, ...]:
    """Take the file in, once."""
    if state.created_at is not None:
        raise Rejected("duplicate", "import")
    taken_in = ImportQueued(
        at=command.at,
        organization_id=command.organization_id,
        client_id=command.client_id,
        audience=command.audience,
        client=command.client,
        dry_run=command.dry_run,
        list_id=command.list_id,
        remove_absent=command.remove_absent,
    )
    return (taken_in,)


def progress(state: ImportJob, command: RecordProgress) -> tuple[Event, ...]:
    """Record the next rows, unless somebody else did."""
    if command.done != state.counts.total:
        raise Rejected("overtaken", "done")
    if not command.counts.total:
        return ()
    recorded = ImportProgressed(at=command.at, counts=command.counts, position=command.position, errors=command.errors)
    return (recorded,)


def removals(state: ImportJob, command: RecordRemovals) -> tuple[Event, ...]:
    """Record the next removals, unless somebody else did."""
    if command.done != state.removed:
        raise Rejected("overtaken", "done")
    if not command.removed:
        return ()
    return (ImportRemoved(at=command.at, removed=command.removed, position=command.position),)


def queued(event: ImportQueued) -> ImportJob:
    """The job that waits."""
    return ImportJob(
        organization_id=event.organization_id,
        client_id=event.client_id,
        audience=event.audience,
        client=event.client,
        dry_run=event.dry_run,
        list_id=event.list_id,
        remove_absent=event.remove_absent,
        created_at=event.at,
    )


def evolve(state: ImportJob, event: Event) -> ImportJob:
    """Take a fact into account. Never raises."""
    match event:
        case ImportQueued():
            return queued(event)
        case ImportStarted(at=at, position=position):
            return replace(state, status="running", started_at=at, progressed_at=at, position=position)
        case ImportProgressed(at=at, counts=counts, position=position):
            errors = state.errors + event.errors[: SHOWN_ERRORS - len(state.errors)]
            done = state.counts + counts
            return replace(state, counts=done, progressed_at=at, position=position, errors=errors)
        case ImportRemoved(at=at, removed=removed, position=position):
            return replace(state, removed=state.removed + removed, progressed_at=at, position=position)
        case ImportFinished(at=at):
            return replace(state, status="succeeded", finished_at=at)
        case ImportFailed(at=at, code=code):
            return replace(state, status="failed", finished_at=at, code=code)
    return state


decider: Final = Decider(kind=10, name="import_job", initial=ImportJob(), decide=decide, evolve=evolve)
