"""One import job on its way: its file's rows carried out chunk by chunk, each chunk recorded in the job's stream.

A chunk may be written when the process dies before it is recorded. The next run finds its events by the job's
correlation id, so the counts come out as if nothing had happened.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from uuid import UUID

from domain import audience, client, import_job
from domain.contact_rows import rows_of
from domain.csv_rows import read_table
from domain.decider import Rejected
from domain.import_job import (
    Command,
    Counts,
    FailImport,
    FinishImport,
    ImportJob,
    RecordProgress,
    RowError,
    StartImport,
)
from domain.import_row import ImportRow, counted
from domain.import_scope import Caller, Scopes
from domain.store.erased_meanwhile import ErasedMeanwhile
from domain.store.import_errors import row_errors
from domain.store.importing import CHUNK, Importing, interrupted
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Loaded, Order, Refused
from domain.store.uploads import UploadGone, Uploads

Goes = Callable[[], bool]
"""Whether to go on with the next chunk; raises when this process may not hold the job any more."""


class Overtaken(Exception):
    """Another process carries the job out, or ended it."""


class ImportRun:
    """A job that is queued, or was left running."""

    def __init__(self, store: Store, uploads: Uploads, upload: UUID, loaded: Loaded) -> None:
        self._store = store
        self._uploads = uploads
        self._upload = upload
        self._number = loaded.number
        self._job: ImportJob = loaded.state
        self._context = context_of(self._job, upload)
        self._erased = ErasedMeanwhile(store, upload, self._context)

    def carry_out(self, goes: Goes) -> bool:
        """Carry out what is left. Gives whether the job has ended, well or not.

        Raises Unavailable, Contended and what a lost database raises: then it can go on later.
        """
        try:
            with closing(self._uploads.read(self._upload)) as blocks:
                return self._carry_out(blocks, goes)
        except Overtaken:
            return False
        except Rejected as refusal:
            self.fail(next(iter(refusal.fields.values())))
        except UploadGone:
            self.fail("file_gone")
        return True

    def fail(self, code: str) -> None:
        """End the job before its last row."""
        self._order(FailImport(at=datetime.now(UTC), code=code))

    def _carry_out(self, blocks: Iterable[bytes], goes: Goes) -> bool:
        resumed = self._job.status == "running"
        self._order(StartImport(at=datetime.now(UTC), position=self._store.recorder.head()))
        earlier = interrupted(self._store, self._upload, self._job.position) if resumed else {}
        importing = Importing(self._store, self._context, dry_run=self._job.dry_run, earlier=earlier)
        rows = self._erased.left_out(rows_of(read_table(blocks), self._scopes(), partial(datetime.now, UTC)))
        self._recall(importing, rows)
        while goes():
            chunk = list(islice(rows, CHUNK))
            if not chunk:
                self._order(FinishImport(at=datetime.now(UTC)))
                return True
            importing.carry_out(chunk)
            self._record(counted(chunk), errors_of(chunk), importing.position)
        return False

    def _recall(self, importing: Importing, rows: Iterator[ImportRow]) -> None:
        """Read again past the rows that were recorded, and remember which addresses they had."""
        done = self._job.counts.total
        if done:
            refused = {error.item for errors in row_errors(self._store, self._number) for error in errors}
            for first in range(0, done, CHUNK):
                importing.recall(list(islice(rows, min(CHUNK, done - first))), refused)

    def _record(self, counts: Counts, errors: tuple[RowError, ...], position: int) -> None:
        self._erased.erase_again()
        self._order(
            RecordProgress(
                at=datetime.now(UTC),
                done=self._job.counts.total,
                counts=counts,
                position=max(self._job.position, position),
                errors=errors,
            )
        )

    def _scopes(self) -> Scopes:
        job = self._job
        [caller] = self._store.load(client.decider, numbers=[job.client_id])

        def number_of(slug: str) -> int | None:
            [found] = self._store.load(audience.decider, keys=[f"{job.organization_id}/{slug}"])
            return found.number or None

        own = Caller(job.organization_id, job.client_id, caller.state.slug)
        return Scopes(own, number_of, audience=job.audience, client=job.client)

    def _order(self, command: Command) -> None:
        self._job = told(self._store, self._number, self._context, command)


def errors_of(rows: Sequence[ImportRow]) -> tuple[RowError, ...]:
    """What is wrong with those of the rows that came to nothing."""
    return tuple(RowError(row.item, row.line or 0, row.errors) for row in rows if row.errors is not None)


def told(store: Store, number: int, context: Context, command: Command) -> ImportJob:
    """Put a command to the job. Raises Overtaken, and what kept it from being carried out."""
    order = Order(decider=import_job.decider, command=command, context=context, number=number)
    [outcome] = store.handle(order)
    match outcome:
        case Accepted(state=state):
            job: ImportJob = state
            return job
        case Refused(error=refusal):
            raise Overtaken from refusal
        case Failed(error=error):
            raise error
    raise TypeError(outcome)


def context_of(job: ImportJob, upload: UUID) -> Context:
    """The envelope of all that comes of an import: its correlation id is the upload's."""
    return Context(organization_id=job.organization_id, client_id=job.client_id, correlation_id=upload, source="import")
