"""All the row errors of an import job, read from its stream a few events at a time: there may be a million."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from domain import import_job
from domain.import_job import ImportProgressed, RowError
from domain.store.log import Store
from domain.store.recorded import COLUMNS

PAGE = 20
READ = f"""
SELECT {COLUMNS} FROM log
WHERE originator_id = %b AND originator_version > %b ORDER BY originator_version LIMIT {PAGE}
"""


def row_errors(store: Store, number: int) -> Iterator[tuple[RowError, ...]]:
    """The errors of the job with this number, chunk by chunk. Raises the library's OperationalError."""
    stream, version = UUID(int=import_job.decider.kind << 96 | number), 0
    while events := store.open(store.recorder.query(READ, (stream, version))):
        for recorded, event in events:
            version = recorded.version
            if isinstance(event, ImportProgressed) and event.errors:
                yield event.errors
