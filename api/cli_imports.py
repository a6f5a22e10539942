"""Commands about imports: taking one back."""

from __future__ import annotations

from argparse import Namespace
from datetime import UTC, datetime

from api.cli_output import CommandError, say
from api.cli_tenants import tenants
from config.settings import Settings
from domain import import_job
from domain.decider import Rejected
from domain.store.order import Context
from domain.store.undoing import undo


def undo_import(settings: Settings, given: Namespace) -> None:
    """Undo an import job, or with a dry run count what would be undone."""
    if not (given.id.isascii() and given.id.isdecimal()):
        raise CommandError("id: invalid")
    number = min(int(given.id), 2**53)
    with tenants(settings) as (store, _):
        job = store.load(import_job.decider, numbers=[number])[0].state
        if job.created_at is None:
            raise CommandError("id: not_found")
        context = Context(organization_id=job.organization_id, client_id=job.client_id, source="operator")
        try:
            done = undo(store, number, context, datetime.now(UTC), dry_run=given.dry_run)
        except Rejected as refusal:
            raise CommandError(", ".join(f"{field}: {code}" for field, code in refusal.fields.items())) from None
    would = "would be " if given.dry_run else ""
    say(f"{done.contacts} contacts: {done.undone} things {would}undone, {done.left_alone} left alone.")
