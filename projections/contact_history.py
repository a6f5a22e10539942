"""Pages of a contact's timeline as one client may see it, and the mail that the events of a page are of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from domain.eligibility import SkipReason
from projections.contact_timeline import EVERYWHERE
from projections.mail_facts import MAIL_STATUS, MailStatus

READ: Final = ("contact_timeline", "campaign_recipients", "messages", "campaigns")
"""The read models that a history is put together from."""

# Mail of the client that is of this audience or of none; the organization's facts about the contact that are of this
# scope, or of one that holds it; what others recorded only where it concerns the contact everywhere.
EVENTS: LiteralString = """
SELECT t.position, t.type, t.at, CASE WHEN t.organization_id IN (0, %(organization_id)s) THEN nullif(t.source, '') END,
    t.campaign_id, t.message_id, coalesce(t.details, '{}')
FROM contact_timeline t
LEFT JOIN campaigns c ON c.campaign_id = t.campaign_id
LEFT JOIN messages m ON m.message_id = t.message_id
WHERE t.contact_id = %(contact_id)s AND t.position < %(before)s AND CASE
    WHEN t.campaign_id IS NOT NULL THEN t.client_id = %(client_id)s AND c.audience_id = %(audience_id)s
    WHEN t.message_id IS NOT NULL THEN t.client_id = %(client_id)s AND m.audience_id IN (0, %(audience_id)s)
    WHEN t.organization_id = %(organization_id)s
        THEN t.audience_id IN (0, %(audience_id)s) AND t.client_id IN (0, %(client_id)s)
    ELSE t.audience_id = 0 AND t.type = ANY(%(everywhere)s) END
ORDER BY t.position DESC LIMIT %(limit)s
"""
CAMPAIGNS: LiteralString = f"""
SELECT m.campaign_id, c.external_key, c.subject, {MAIL_STATUS}, m.skip_reason, m.requested_at, m.sent_at,
    m.delivered_at, m.first_opened_at, m.first_clicked_at, m.open_count, m.click_count, m.last_error
FROM campaign_recipients m JOIN campaigns c USING (campaign_id)
WHERE m.contact_id = %s AND m.campaign_id = ANY(%s)
ORDER BY m.requested_at DESC, m.campaign_id DESC
"""
MESSAGES: LiteralString = f"""
SELECT m.message_id, m.template_key, m.category_tag, {MAIL_STATUS}, m.skip_reason, m.requested_at, m.sent_at,
    m.delivered_at, m.first_opened_at, m.first_clicked_at, m.open_count, m.click_count, m.last_error
FROM messages m WHERE m.message_id = ANY(%s)
ORDER BY m.message_id DESC
"""


class Viewer(msgspec.Struct, frozen=True):
    """The client that looks, and the audience in which it does."""

    organization_id: int
    audience_id: int
    client_id: int


class HistoryEvent(msgspec.Struct, frozen=True):
    """Something that happened. ``id`` is its log position, ``type`` its name there, ``data`` some of its fields.

    ``source`` says where it came from (api, import, person, ses and so on), None for what another organization did.
    """

    id: int
    type: str
    created_at: datetime
    source: str | None
    campaign_id: int | None
    message_id: int | None
    data: dict[str, Any]


class HistoryCampaign(msgspec.Struct, frozen=True):
    """A campaign that meant the contact, and what became of its mail. ``campaign`` is its external key."""

    campaign_id: int
    campaign: str
    subject: str
    status: MailStatus
    skip_reason: SkipReason | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    first_opened_at: datetime | None
    first_clicked_at: datetime | None
    open_count: int
    click_count: int
    last_error: str


class HistoryMessage(msgspec.Struct, frozen=True):
    """A transactional message to the contact, and what became of it."""

    id: int
    template_key: str
    category_tag: str
    status: MailStatus
    skip_reason: SkipReason | None
    created_at: datetime
    sent_at: datetime | None
    delivered_at: datetime | None
    first_opened_at: datetime | None
    first_clicked_at: datetime | None
    open_count: int
    click_count: int
    last_error: str


class HistoryPage(msgspec.Struct, frozen=True):
    """Events, newest first, and the mail that they are of. ``more``: there are older ones."""

    events: Sequence[HistoryEvent]
    campaigns: Sequence[HistoryCampaign]
    messages: Sequence[HistoryMessage]
    more: bool


async def page(
    connection: psycopg.AsyncConnection[Any], viewer: Viewer, contact_id: int, *, before: int, limit: int
) -> HistoryPage:
    """At most ``limit`` events of a contact with positions below ``before``.

    Whether the viewer may see the contact at all is for the caller to know.
    """
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    asked = msgspec.structs.asdict(viewer) | {"contact_id": contact_id, "before": before, "limit": limit + 1}
    await cursor.execute(EVENTS, asked | {"everywhere": list(EVERYWHERE)}, prepare=True)
    found = [HistoryEvent(*row) for row in await cursor.fetchall()]
    events = found[:limit]
    campaigns = distinct(event.campaign_id for event in events)
    messages = distinct(event.message_id for event in events)
    await cursor.execute(CAMPAIGNS, (contact_id, campaigns), prepare=True)
    recipients = [HistoryCampaign(*row) for row in await cursor.fetchall()]
    await cursor.execute(MESSAGES, (messages,), prepare=True)
    transactional = [HistoryMessage(*row) for row in await cursor.fetchall()]
    return HistoryPage(events, recipients, transactional, more=len(found) > limit)


def distinct(numbers: Iterable[int | None]) -> list[int]:
    """Each number once."""
    return sorted({number for number in numbers if number is not None})
