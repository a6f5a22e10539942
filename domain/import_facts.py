"""What happens to an import job."""

from __future__ import annotations

import msgspec

from domain.decider import Event, event


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
    """A client handed in a file of contacts; ``audience`` and ``client`` are the slugs for rows that name none.

    With ``list_id`` it named one of members of that recipient list; ``remove_absent`` takes all others off.
    """

    organization_id: int
    client_id: int
    audience: str = ""
    client: str = ""
    dry_run: bool = False
    list_id: int = 0
    remove_absent: bool = False


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


@event("import_job.removed")
class ImportRemoved(Event, frozen=True):
    """Another ``removed`` members are off the list, which the whole file does not name. ``position`` as above."""

    removed: int
    position: int


@event("import_job.finished")
class ImportFinished(Event, frozen=True):
    """Every row is done, and the file is gone."""


@event("import_job.failed")
class ImportFailed(Event, frozen=True):
    """The import ended before its last row. Rows that were done stand; ``code`` says why."""

    code: str
