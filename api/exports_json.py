"""``GET /api/contacts``: a page of contacts in the order of their numbers, as far from the first as you like."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType
from psycopg.rows import tuple_row

from api.answer import Answer, json_answer
from api.call import Call
from api.exports import FILTERED, Filters, parameters
from api.fields import said
from domain.contact import SubscriptionStatus
from domain.contact.view import UNDELIVERABLE, ContactPayload, EmailValidationPayload, SubscriptionPayload

PAGE: Final = 50

SELECT: Final = f"""
SELECT c.contact_id, c.email, c.globally_verified_at, c.validation_status, c.validation_reason, c.validated_at,
    c.global_unsubscribed, c.hard_bounced, c.complained, c.tags, c.created_at, c.updated_at,
    c.status, c.verified_at, c.unsubscribed_at, c.unsubscribe_reason,
    a.status, a.verified_at, a.unsubscribed_at, a.unsubscribe_reason
FROM contacts c
LEFT JOIN contacts a ON a.audience_id = c.audience_id AND a.client_id = 0 AND a.contact_id = c.contact_id
WHERE {FILTERED}
ORDER BY c.contact_id LIMIT %(page)s
"""


class ExportJson(Filters, kw_only=True):
    """Which contacts, how many at most (50 unless said otherwise), and behind which one."""

    limit: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    cursor: Annotated[int, Meta(ge=0)] | UnsetType = UNSET


class ExportedContact(ContactPayload, frozen=True, kw_only=True):
    """The contact payload, and what the export adds. ``verified`` is globally or for this client (contract)."""

    subscription_status: SubscriptionStatus | None
    unsubscribed: bool
    unsubscribed_at: datetime | None
    unsubscribe_reason: str
    created_at: datetime
    updated_at: datetime


class ContactPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page. ``next_cursor`` is null on the last one."""

    audience: str
    client: str
    count: int
    next_cursor: str | None
    contacts: list[ExportedContact]


async def export_json(call: Call, given: ExportJson) -> Answer:
    """One page of the contacts that all filters let through."""
    size = said(given.limit) or PAGE
    asked = parameters(call, given) | {"after": said(given.cursor) or 0, "page": size + 1}
    async with call.wiring.reads.connection() as connection:
        cursor = connection.cursor(binary=True, row_factory=tuple_row)
        await cursor.execute(SELECT, asked, prepare=True)
        rows = await cursor.fetchall()
    audience, client = call.audience.slug, call.caller.slug
    contacts = [exported(row, audience, client) for row in rows[:size]]
    more = str(contacts[-1].contact_id) if len(rows) > size else None
    page = ContactPage(audience=audience, client=client, count=len(contacts), next_cursor=more, contacts=contacts)
    return json_answer(page, position=call.reflected)


def exported(row: tuple[Any, ...], audience: str, client: str) -> ExportedContact:
    """A row of :data:`SELECT`. What can be sent follows from the rules of :mod:`domain.contact.view`."""
    globally_verified_at, validation = row[2], row[3]
    unsubscribed, bounced, complained = row[6:9]
    own, shared = subscription(client, row[12:16]), subscription(audience, row[16:20])
    verified = globally_verified_at is not None or own.verified
    deliverable = not (bounced or complained)
    wanted = (verified or shared.verified) and own.subscribed and shared.status != "unsubscribed"
    reachable = deliverable and not unsubscribed and validation not in UNDELIVERABLE
    return ExportedContact(
        **facts(row),
        verified=verified,
        verified_at=own.verified_at or globally_verified_at,
        audience=shared,
        client=own,
        can_send_marketing=reachable and wanted,
        can_send_transactional=deliverable,
        subscription_status=own.status,
        unsubscribed=own.status == "unsubscribed",
        unsubscribed_at=own.unsubscribed_at,
        unsubscribe_reason=own.unsubscribe_reason,
    )


def facts(row: tuple[Any, ...]) -> dict[str, Any]:
    """What a row shows as it is."""
    return {
        "contact_id": row[0],
        "email": row[1],
        "exists": True,
        "email_validation": EmailValidationPayload(*row[3:6]),
        "global_unsubscribed": row[6],
        "hard_bounced": row[7],
        "complained": row[8],
        "tags": row[9],
        "created_at": row[10],
        "updated_at": row[11],
    }


def subscription(slug: str, columns: tuple[Any, ...]) -> SubscriptionPayload:
    """A subscription from its four columns; without a status there is none."""
    status, verified_at, unsubscribed_at, reason = columns
    if status is None:
        return SubscriptionPayload(slug)
    return SubscriptionPayload(
        slug, status == "subscribed", status, verified_at is not None, verified_at, unsubscribed_at, reason
    )
