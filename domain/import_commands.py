"""What is asked of an import job: take a file in, begin, tell of rows and members that are done, end."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.import_facts import Counts, RowError


class QueueImport(msgspec.Struct, frozen=True, kw_only=True):
    """Take a file in. Raises Rejected ``duplicate`` on ``import`` when it was queued before."""

    at: datetime
    organization_id: int
    client_id: int
    audience: str = ""
    client: str = ""
    dry_run: bool = False
    list_id: int = 0
    remove_absent: bool = False


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


class RecordRemovals(msgspec.Struct, frozen=True, kw_only=True):
    """Tell that further members were taken off the list, ``done`` being recorded before. Raises as RecordProgress."""

    at: datetime
    done: int
    removed: int
    position: int


class FinishImport(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected ``not_running`` on ``status``."""

    at: datetime


class FailImport(msgspec.Struct, frozen=True, kw_only=True):
    """End it, begun or not. Raises Rejected ``not_running`` on ``status`` when it ended."""

    at: datetime
    code: str


Command = QueueImport | StartImport | RecordProgress | RecordRemovals | FinishImport | FailImport
