"""Contacts that rows work on, and the files that bring them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import cast

from bench.scopes import Scope
from bench.stand import Stand
from domain import contact
from domain.store.order import Context, Order

TAGS = ("course-ml-zoomcamp", "course-de-zoomcamp")
HEADER = "email,tags,subscription_status,verified,global_unsubscribed\n"


def email(group: str, number: int) -> str:
    """The address of one of a group."""
    return f"{group}-{number}@example.com"


def upserts(scope: Scope, emails: Iterable[str]) -> list[Order]:
    """Orders that subscribe addresses, with two tags."""
    now = datetime.now(UTC)
    context = Context(organization_id=scope.organization_id, client_id=scope.client_id)
    commands = (
        contact.UpsertContact(
            at=now,
            organization_id=scope.organization_id,
            audience_id=scope.audience_id,
            client_id=scope.client_id,
            email=address,
            status="subscribed",
            tags=TAGS,
        )
        for address in emails
    )
    return [Order(decider=contact.decider, command=each, context=context, key=each.email) for each in commands]


def regulars(stand: Stand) -> list[tuple[int, str]]:
    """Contacts that are there already, as many as a run has requests: number and address."""

    def make() -> list[tuple[int, str]]:
        emails = [email("regular", n) for n in range(stand.scale.requests)]
        done = stand.carry_out(upserts(stand.commands, emails))
        return [(accepted.number, address) for accepted, address in zip(done, emails, strict=True)]

    return cast("list[tuple[int, str]]", stand.once("regulars", make))


def csv_file(group: str, rows: int) -> bytes:
    """A file of 5 columns."""
    cells = f"{';'.join(TAGS)},subscribed,true,false"
    return (HEADER + "".join(f"{email(group, n)},{cells}\n" for n in range(rows))).encode()
