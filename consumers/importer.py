"""Carries queued import jobs out, one at a time; any number of processes may share the work."""

from __future__ import annotations

import logging
from threading import Event as Flag
from typing import Final
from uuid import UUID

from consumers.import_claims import follow, in_hand
from consumers.import_run import Goes, ImportRun
from consumers.list_import import ListImportRun
from consumers.running import LOST
from consumers.session import Connection
from domain import import_job
from domain.import_job import ImportJob
from domain.store.log import Store
from domain.store.order import Contended, Unavailable
from domain.store.uploads import Uploads

NAME: Final = "datamailer.importer"

log = logging.getLogger(__name__)


class Importer:
    """Looks for files that wait, and imports those that nobody else does."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._uploads = Uploads(store.conninfo, store.keyring)

    def session(self, stop: Flag) -> None:
        """Follow until stopped. Raises what a lost database raises."""
        follow(self._store.conninfo, NAME, self.look, stop)

    def look(self, connection: Connection, stop: Flag) -> None:
        """Import every file that waits and is free, oldest first."""
        for upload, old in self._uploads.waiting():
            with in_hand(connection, NAME, upload, stop) as free:
                if free:
                    self._take(connection, upload, stop, old=old)

    def _take(self, connection: Connection, upload: UUID, stop: Flag, *, old: bool) -> None:
        """Import the file, or let go of it: its job ended, or was never queued."""
        [loaded] = self._store.load(import_job.decider, keys=[str(upload)])
        job: ImportJob = loaded.state
        if job.created_at is not None and job.status in {"queued", "running"}:
            given = (self._store, self._uploads, upload, loaded)
            run = ListImportRun(*given, connection) if job.list_id else ImportRun(*given)
            ended = carried_out(run, lambda: connection.execute("SELECT") is not None and not stop.is_set())
            log.info("import ended" if ended else "import interrupted", extra={"import_id": loaded.number})
        else:
            ended = old or job.created_at is not None
        if ended:
            self._uploads.delete(upload)


def carried_out(run: ImportRun, goes: Goes) -> bool:
    """Carry the job out; a defect ends it, and is seen in the log. Raises what may be mended by going on later."""
    try:
        return run.carry_out(goes)
    except (*LOST, Unavailable, Contended):
        raise
    except Exception:
        log.exception("import failed")
        run.fail("internal_error")
        return True
