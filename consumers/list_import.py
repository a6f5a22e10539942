"""An import of members into a recipient list on its way: the file's rows, then the members that it does not name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from time import sleep
from typing import Final
from uuid import UUID

from consumers.import_run import Goes, ImportRun
from consumers.session import Connection
from domain.import_job import FinishImport, RecordRemovals, RowError, StartImport
from domain.list_rows import ListFile, ListRow, counted
from domain.store.list_importing import CHUNK, Earlier, ListImporting, told_by_the_log
from domain.store.log import Store
from domain.store.order import Loaded
from domain.store.uploads import Uploads
from projections.checkpoint import is_caught_up
from projections.recipient_lists import PROJECTION
from projections.recipient_members import places

LOOKS: Final = 100
PAUSE: Final = 0.1
"""Seconds between looks at how far the read model is; after so many looks other imports have a turn."""


class ListImportRun(ImportRun):
    """A job whose file names members of a list. ``connection`` reads the read model."""

    def __init__(self, store: Store, uploads: Uploads, upload: UUID, loaded: Loaded, connection: Connection) -> None:
        super().__init__(store, uploads, upload, loaded)
        self._connection = connection

    def _carry_out(self, blocks: Iterable[bytes], goes: Goes) -> bool:
        resumed = self._job.status == "running"
        self._order(StartImport(at=datetime.now(UTC), position=self._store.recorder.head()))
        earlier = told_by_the_log(self._store, self._upload, self._job.position) if resumed else Earlier()
        job = self._job
        importing = ListImporting(self._store, self._context, job.list_id, dry_run=job.dry_run, earlier=earlier)
        file = ListFile(blocks)
        rows = self._erased.left_out(file.rows())
        for _ in islice(rows, job.counts.total):
            pass  # done before, but the file is to know whom it named
        if not self._put(importing, rows, goes):
            return False
        if job.remove_absent and not self._take_off(importing, file, earlier, goes):
            return False
        self._order(FinishImport(at=datetime.now(UTC)))
        return True

    def _put(self, importing: ListImporting, rows: Iterator[ListRow], goes: Goes) -> bool:
        """Carry the rows out that are left. Gives whether that was all."""
        while goes():
            chunk = list(islice(rows, CHUNK))
            if not chunk:
                return True
            importing.carry_out(chunk)
            errors = tuple(RowError(row.item, row.line, row.errors) for row in chunk if row.errors is not None)
            self._record(counted(chunk), errors, importing.position)
        return False

    def _take_off(self, importing: ListImporting, file: ListFile, earlier: Earlier, goes: Goes) -> bool:
        """Take off whom the file does not name, but for those who came since the job was queued.

        Gives whether that was all: the read model may be too far behind to tell. A dry run tells its count at the end,
        since it would find the same again.
        """
        if not self._is_followed(goes):
            return False
        job, after, counted_dry = self._job, 0, 0
        self._record_removals(len(earlier.removed), earlier.through)
        while goes():
            found = places(self._connection, job.list_id, after=after, limit=CHUNK, until=job.created_at)
            if not found:
                self._record_removals(max(0, counted_dry - self._job.removed), 0)
                return True
            absent = [(place.source_object_key, place.contact_id) for place in found]
            removed = importing.take_off([pair for pair in absent if not file.names(pair[0])])
            if job.dry_run:
                counted_dry += removed
            else:
                self._record_removals(removed, importing.position)
            after = found[-1].recipient_id
        return False

    def _record_removals(self, removed: int, position: int) -> None:
        known = self._job
        position = max(known.position, position)
        self._order(RecordRemovals(at=datetime.now(UTC), done=known.removed, removed=removed, position=position))

    def _is_followed(self, goes: Goes) -> bool:
        """Wait a while for the read model to reflect all rows. Gives whether it does."""
        for _ in range(LOOKS):
            if not goes():
                return False
            if is_caught_up(self._connection, PROJECTION.name, self._job.position):
                return True
            sleep(PAUSE)
        return False
