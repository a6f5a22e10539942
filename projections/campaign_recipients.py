"""One row for everyone whom a campaign means, skipped ones too, and with them the campaign's counters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from operator import sub
from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from domain import message
from domain.decider import Event
from domain.eligibility import SkipReason
from domain.message.events import CampaignMessageRequested, MessageSkipped
from domain.store import arrays
from domain.store.recorded import Recorded
from projections import campaign_counters
from projections.campaign_counters import NOTHING, SUMS, share
from projections.mail_facts import MAIL_STATUS, TOLD, UNHEARD_OF, MailFacts, MailProjection, MailStatus, told
from projections.projection import Connection, RowFold, Rows, Table
from projections.single_row import ONLY, alone, number, only
from projections.sums import Key, summed

RECIPIENTS: LiteralString = """
-- One row for each contact that a campaign means. Neither the address nor the mail is here: contacts has the one, the
-- campaign the other. A mail changes its row up to six times, no indexed column of it, and finds room beside it.
CREATE TABLE IF NOT EXISTS campaign_recipients (
    campaign_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    requested_at timestamptz NOT NULL, -- when the snapshot meant the contact
    sent_at timestamptz, -- SES has the mail; times are the first of their kind
    delivered_at timestamptz,
    bounced_at timestamptz,
    complained_at timestamptz,
    first_opened_at timestamptz,
    first_clicked_at timestamptz,
    unsubscribed_at timestamptz, -- took the mail's way out
    open_count integer NOT NULL,
    click_count integer NOT NULL,
    status text NOT NULL, -- queued, sending, unconfirmed, sent, failed or skipped
    skip_reason text,
    last_error text NOT NULL, -- a code
    PRIMARY KEY (campaign_id, contact_id)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05);
"""
DDL: LiteralString = RECIPIENTS + campaign_counters.DDL
INDEXES: LiteralString = ""

LOAD: LiteralString = """
SELECT {columns} FROM {table}
WHERE (campaign_id, contact_id) IN (SELECT * FROM unnest(%b::bigint[], %b::bigint[]))
"""
# The address as long as the organization has the contact in one of its audiences.
PAGE: LiteralString = f"""
SELECT m.contact_id, c.email, {MAIL_STATUS}, m.skip_reason, m.sent_at, m.delivered_at, m.first_opened_at,
    m.first_clicked_at, m.open_count, m.click_count, m.last_error
FROM campaign_recipients m
LEFT JOIN LATERAL (
    SELECT email FROM contacts WHERE contact_id = m.contact_id AND organization_id = m.organization_id LIMIT 1
) c ON true
WHERE m.campaign_id = %(campaign_id)s AND m.contact_id > %(after)s
    AND (%(status)s::text IS NULL OR {MAIL_STATUS} = %(status)s)
    AND (%(skip_reason)s::text IS NULL OR m.skip_reason = %(skip_reason)s)
ORDER BY m.contact_id LIMIT %(limit)s
"""


class RecipientRow(MailFacts, frozen=True):
    """A recipient; ``skip_reason`` of one that was skipped."""

    campaign_id: int
    contact_id: int
    organization_id: int
    client_id: int


class Recipient(msgspec.Struct, frozen=True):
    """A recipient as the API shows it. ``email`` is None once the organization does not have the contact any more, and
    for one that is in none of its audiences.
    """

    contact_id: int
    email: str | None
    status: MailStatus
    skip_reason: SkipReason | None
    sent_at: datetime | None
    delivered_at: datetime | None
    first_opened_at: datetime | None
    first_clicked_at: datetime | None
    open_count: int
    click_count: int
    last_error: str


async def page(
    connection: psycopg.AsyncConnection[Any],
    campaign_id: int,
    *,
    after: int = 0,
    limit: int,
    status: MailStatus | None = None,
    skip_reason: SkipReason | None = None,
) -> list[Recipient]:
    """At most ``limit`` recipients with numbers above ``after``, in their order, those that both filters let through.

    The cost does not depend on how far ``after`` is, but a filter that lets few through looks at many.
    """
    asked = {"campaign_id": campaign_id, "after": after, "limit": limit, "status": status, "skip_reason": skip_reason}
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(PAGE, asked, prepare=True)
    return [Recipient(*row) for row in await cursor.fetchall()]


CONTACT: Final = (1 << message.CONTACT_BITS) - 1


def evolve(row: RecipientRow | None, recorded: Recorded, event: Event) -> RecipientRow:
    """The recipient after the event. It begins when the message is requested, or skipped instead."""
    if row is not None:
        return row if isinstance(event, CampaignMessageRequested) else told(row, event)
    skip_reason = event.reason if isinstance(event, MessageSkipped) else None
    campaign_id, contact_id = message.campaign_and_contact(recorded.stream)
    return RecipientRow(
        campaign_id=campaign_id,
        contact_id=contact_id,
        organization_id=recorded.organization_id,
        client_id=recorded.client_id,
        status="skipped" if skip_reason else "queued",
        skip_reason=skip_reason,
        requested_at=event.at,
        **UNHEARD_OF,
    )


class RecipientFold(RowFold, frozen=True, kw_only=True):
    """Rows by campaign and contact; what their changes add to the campaign is added with them."""

    def _load(self, connection: Connection, groups: set[int]) -> dict[int, Rows]:
        loaded: dict[int, Rows] = {group: {} for group in groups}
        arrays.register(connection)
        [table] = self.tables
        campaigns = arrays.bigints(group >> message.CONTACT_BITS for group in groups)
        contacts = arrays.bigints(group & CONTACT for group in groups)
        for found in connection.cursor(binary=True).execute(table.sql(LOAD), (campaigns, contacts), prepare=True):
            row = RecipientRow(*found)
            loaded[message.campaign_message_number(row.campaign_id, row.contact_id)] = {ONLY: row}
        return loaded

    def _write(self, connection: Connection, before: Mapping[int, Rows], after: Mapping[int, Rows]) -> None:
        super()._write(connection, before, after)
        now: defaultdict[Key, list[tuple[int, ...]]] = defaultdict(list)
        then: defaultdict[Key, list[tuple[int, ...]]] = defaultdict(list)
        for group, rows in after.items():
            old = before[group]
            if rows is not old:
                row = rows[ONLY]
                now[row.campaign_id,].append(share(row))
                then[row.campaign_id,].append(share(old[ONLY]) if old else NOTHING)
        taken = summed(then)
        SUMS.add(connection, {key: list(map(sub, added, taken[key])) for key, added in summed(now).items()})


PROJECTION: Final = MailProjection(
    name="campaign_recipients",
    version=1,
    kinds=(message.of_campaign.kind,),
    events=(CampaignMessageRequested, *TOLD),
    ddl=DDL,
    indexes=INDEXES,
    derived=campaign_counters.RECOUNT,
    fold=RecipientFold(
        tables=(
            Table(
                name="campaign_recipients",
                row=RecipientRow,
                key=("campaign_id", "contact_id"),
                group="contact_id",
                place=only,
            ),
        ),
        group_of=number,
        evolve=alone(evolve),
        streams=(message.of_campaign.kind,),
        reads=("stream", "organization_id", "client_id"),
    ),
)
