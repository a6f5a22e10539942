"""Undoing an import job: what it did and nobody changed since goes back."""

from __future__ import annotations

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of
from api.errors import refused
from api.import_jobs import own_job
from api.imports_run import beside
from domain.decider import Rejected
from domain.store.undoing import Undone, undo


class UndoImport(msgspec.Struct, kw_only=True):
    """With ``dry_run`` it is only counted."""

    dry_run: bool = False


class UndoneImport(msgspec.Struct, frozen=True):
    """What went back, or would. A thing is a subscription, a tag, a suppression or the verdict on an address."""

    id: int
    dry_run: bool
    counts: Undone


async def undo_import(call: Call, given: UndoImport) -> Answer:
    """Take an import that has ended back, and leave alone what changed since."""
    job = await own_job(call)
    store, context = call.wiring.store, context_of(call)
    try:
        counts = await beside(lambda: undo(store, job.number, context, call.now, dry_run=given.dry_run))
    except Rejected as refusal:
        raise refused(refusal) from None
    position = await beside(store.recorder.head)
    return json_answer(UndoneImport(job.number, given.dry_run, counts), position=position)
