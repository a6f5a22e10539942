"""The import job: a CSV file that is carried into the log in the background, chunk by chunk."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from domain.decider import Decider, Event, Rejected, event

SHOWN_ERRORS: Final = 1_000
"""Row errors that the state holds; the log has all (contract, Import jobs)."""

Status = Literal["queued", "running", "succeeded", "failed"]


class RowError(msgspec.Struct, frozen=True, array_like=True):
    """Why nothing came of a row: its number from 1, the line that it starts on, and a code for each wrong field.

    The address is not kept: the file's owner finds the row by its number.
    """

    item: int
    line: int
    fields: dict[str, str]


class Counts(msgspec.Struct, frozen=True):
    """What became of the rows, ``total`` of them (contract, Import and export)."""

    total: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    invalid: int = 0

    def __add__(self, other: Counts) -> Counts:
        """The counts of both."""
        return Counts(*(mine + its for mine, its in zip(values(self), values(other), strict=True)))


def values(counts: Counts) -> tuple[int, ...]:
    """The numbers in the order of the fields."""
    return msgspec.structs.astuple(counts)


@event("import_job.queued")
class ImportQueued(Event, frozen=True):
    """A client handed in a file. ``audience`` and ``client`` are the slugs for rows that name none."""

    organization_id: int
    client_id: int
    audience: str = ""
    client: str = ""
    dry_run: bool = False


@event("import_job.started")
class ImportStarted(Event, frozen=True):
    """The first rows are about to be carried out; none of their events stands at or before ``position``."""

    position: int


@event("import_job.progressed")
class ImportProgressed(Event, frozen=True):
    """Another ``counts.total`` rows are done. No event of the rows to come stands at or before ``position``."""

    counts: Counts
    position: int
    errors: tuple[RowError, ...] = ()


@event("import_job.finished")
class ImportFinished(Event, frozen=True):
    """Every row is done, and the file is gone."""


@event("import_job.failed")
class ImportFailed(Event, frozen=True):
    """The import ended before its last row. Rows that were done stand; ``code`` says why."""

    code: str


class QueueImport(msgspec.Struct, frozen=True, kw_only=True):
    """Take a file in. Raises Rejected ``duplicate`` on ``import`` when it was queued before."""

    at: datetime
    organization_id: int
    client_id: int
    audience: str = ""
    client: str = ""
    dry_run: bool = False


class StartImport(msgspec.Struct, frozen=True, kw_only=True):
    """Begin, or go on after an interruption. Raises Rejected ``not_running`` on ``status`` when it ended."""

    at: datetime
    position: int


class RecordProgress(msgspec.Struct, frozen=True, kw_only=True):
    """Tell what became of the next rows, ``done`` of them being recorded before.

    Raises Rejected: ``not_running`` on ``status``; ``overtaken`` on ``done`` when another worker recorded these rows.
    """

    at: datetime
    done: int
    counts: Counts
    position: int
    errors: tuple[RowError, ...] = ()


class FinishImport(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected ``not_running`` on ``status``."""

    at: datetime


class FailImport(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected ``not_running`` on ``status``."""

    at: datetime
    code: str


Command = QueueImport | StartImport | RecordProgress | FinishImport | FailImport


class ImportJob(msgspec.Struct, frozen=True):
    """A job, or with ``created_at`` None none yet. ``code`` is why it failed, ``errors`` are the first ones."""

    organization_id: int = 0
    client_id: int = 0
    audience: str = ""
    client: str = ""
    dry_run: bool = False
    status: Status = "queued"
    counts: Counts = Counts()
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
    if state.status == "queued" and isinstance(command, StartImport) and state.created_at is not None:
        return (ImportStarted(at=command.at, position=command.position),)
    if state.status != "running":
        raise Rejected("not_running", "status")
    match command:
        case StartImport():
            return ()
        case RecordProgress():
            return progress(state, command)
        case FinishImport(at=at):
            return (ImportFinished(at=at),)
        case FailImport(at=at, code=code):
            return (ImportFailed(at=at, code=code),)


def queue(state: ImportJob, command: QueueImport) -> tuple[Event, ...]:
    """Take the file in, once."""
    if state.created_at is not None:
        raise Rejected("duplicate", "import")
    queued = ImportQueued(
        at=command.at,
        organization_id=command.organization_id,
        client_id=command.client_id,
        audience=command.audience,
        client=command.client,
        dry_run=command.dry_run,
    )
    return (queued,)


def progress(state: ImportJob, command: RecordProgress) -> tuple[Event, ...]:
    """Record the next rows, unless somebody else did."""
    if command.done != state.counts.total:
        raise Rejected("overtaken", "done")
    if not command.counts.total:
        return ()
    recorded = ImportProgressed(at=command.at, counts=command.counts, position=command.position, errors=command.errors)
    return (recorded,)


def evolve(state: ImportJob, event: Event) -> ImportJob:
    """Take a fact into account. Never raises."""
    match event:
        case ImportQueued():
            return ImportJob(
                organization_id=event.organization_id,
                client_id=event.client_id,
                audience=event.audience,
                client=event.client,
                dry_run=event.dry_run,
                created_at=event.at,
            )
        case ImportStarted(at=at, position=position):
            return replace(state, status="running", started_at=at, progressed_at=at, position=position)
        case ImportProgressed(at=at, counts=counts, position=position):
            errors = state.errors + event.errors[: SHOWN_ERRORS - len(state.errors)]
            done = state.counts + counts
            return replace(state, counts=done, progressed_at=at, position=position, errors=errors)
        case ImportFinished(at=at):
            return replace(state, status="succeeded", finished_at=at)
        case ImportFailed(at=at, code=code):
            return replace(state, status="failed", finished_at=at, code=code)
    return state


decider: Final = Decider(kind=10, name="import_job", initial=ImportJob(), decide=decide, evolve=evolve)
