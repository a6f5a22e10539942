"""Fetches the files that imports name by URL, and keeps them, sealed, for the importer; any number may share the work.

What a URL gives may change from one hour to the next: an import that goes on after an interruption must read the same
file. A consumer of its own, so that a slow host delays no import of a file that is here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from threading import Event as Flag
from time import monotonic
from typing import Final
from uuid import UUID

from consumers.import_claims import follow, in_hand
from consumers.import_run import Goes, Overtaken, context_of, told
from consumers.outside import Outside, OutsideError
from consumers.session import WAIT, Connection
from domain import import_job
from domain.decider import Rejected
from domain.import_job import FailImport, ImportJob
from domain.list_rows import FILE_LIMIT, checked
from domain.store.log import Store
from domain.store.uploads import UploadGone, Uploads

NAME: Final = "datamailer.fetcher"
SECONDS: Final = 900.0
"""How long a file may take."""
BLOCK: Final = 1 << 18
OK: Final = 200

log = logging.getLogger(__name__)


class Interrupted(Exception):
    """This process may not go on; another one begins again."""


class Fetcher:
    """Looks for files that are expected, and fetches those that nobody else does."""

    def __init__(self, store: Store, outside: Outside) -> None:
        self._store = store
        self._outside = outside
        self._uploads = Uploads(store.conninfo, store.keyring)

    def session(self, stop: Flag) -> None:
        """Follow until stopped. Raises what a lost database raises."""
        follow(self._store.conninfo, NAME, self.look, stop)

    def look(self, connection: Connection, stop: Flag) -> None:
        """Fetch every file that is expected and free, oldest first."""
        for upload, old in self._uploads.waiting(expected=True):
            with in_hand(connection, NAME, upload, stop) as free:
                if free:
                    self._take(connection, upload, stop, old=old)

    def _take(self, connection: Connection, upload: UUID, stop: Flag, *, old: bool) -> None:
        """Fetch the file, or let go of it: its job ended, or was never queued."""
        [loaded] = self._store.load(import_job.decider, keys=[str(upload)])
        job: ImportJob = loaded.state
        if job.created_at is not None and job.status == "queued":
            failure = self._fetched(upload, lambda: connection.execute("SELECT") is not None and not stop.is_set())
            if failure is None:
                return
            self._fail(upload, job, loaded.number, failure)
        elif not old and job.created_at is None:
            return
        self._uploads.delete(upload)

    def _fetched(self, upload: UUID, goes: Goes) -> str | None:
        """Fetch and keep the file. Gives why that cannot be, as a code; None when it is here, or nobody may go on."""
        try:
            url = self._uploads.source(upload)
            with self._outside.stream("GET", url, seconds=SECONDS, limit=FILE_LIMIT) as answer:
                if answer.status != OK:
                    return f"http_{answer.status}"
                self._uploads.fill(upload, checked(blocks_of(answer.chunks(), goes)))
        except OutsideError as error:
            return error.code
        except Rejected as refusal:
            return next(iter(refusal.fields.values()))
        except (Interrupted, UploadGone):
            return None
        self._uploads.announce()
        return None

    def _fail(self, upload: UUID, job: ImportJob, number: int, code: str) -> None:
        """End the job, of which nothing was carried out."""
        try:
            told(self._store, number, context_of(job, upload), FailImport(at=datetime.now(UTC), code=code))
        except Overtaken:
            return
        log.info("fetch failed", extra={"import_id": number, "code": code})


def blocks_of(chunks: Iterable[bytes], goes: Goes) -> Iterator[bytes]:
    """The same bytes in blocks of a size that is good to keep. Raises Interrupted."""
    block, looked = bytearray(), monotonic()
    for chunk in chunks:
        block += chunk
        if monotonic() - looked > WAIT:
            if not goes():
                raise Interrupted
            looked = monotonic()
        if len(block) >= BLOCK:
            yield bytes(block)
            block.clear()
    yield bytes(block)
