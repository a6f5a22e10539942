"""What a campaign's recipients add up to. The counters are kept by the fold of ``campaign_recipients``."""

from __future__ import annotations

from typing import Any, Final, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from projections.mail_facts import MailFacts
from projections.sums import Sums

DDL: LiteralString = """
-- One row for each campaign that has recipients. Skipped ones are not in recipient_count; sent_count are those that SES
-- has and did not drop. An erased contact stays counted.
CREATE TABLE IF NOT EXISTS campaign_counters (
    campaign_id bigint PRIMARY KEY,
    recipient_count bigint NOT NULL,
    sent_count bigint NOT NULL,
    skipped_count bigint NOT NULL,
    failed_count bigint NOT NULL,
    delivered_count bigint NOT NULL,
    unique_open_count bigint NOT NULL, -- recipients; open_count are openings
    open_count bigint NOT NULL,
    unique_click_count bigint NOT NULL,
    click_count bigint NOT NULL,
    unsubscribe_count bigint NOT NULL, -- recipients that took the mail's way out
    bounce_count bigint NOT NULL, -- recipients whose mail came back, for good or not
    complaint_count bigint NOT NULL
) WITH (fillfactor = 50);
"""
RECOUNT: LiteralString = """
TRUNCATE campaign_counters;
INSERT INTO campaign_counters
SELECT campaign_id, count(*) FILTER (WHERE status <> 'skipped'),
    count(*) FILTER (WHERE sent_at IS NOT NULL AND status <> 'failed'), count(*) FILTER (WHERE status = 'skipped'),
    count(*) FILTER (WHERE status = 'failed'), count(delivered_at), count(first_opened_at), sum(open_count),
    count(first_clicked_at), sum(click_count), count(unsubscribed_at), count(bounced_at), count(complained_at)
FROM campaign_recipients GROUP BY campaign_id;
"""
"""Counts all recipients, which the fold never does."""
SELECT: LiteralString = """
SELECT recipient_count, sent_count, skipped_count, failed_count, delivered_count, unique_open_count, open_count,
    unique_click_count, click_count, unsubscribe_count, bounce_count, complaint_count
FROM campaign_counters WHERE campaign_id = %s
"""


class Counters(msgspec.Struct, frozen=True):
    """The counters of the contract (Campaigns), in the order of the columns."""

    recipient_count: int = 0
    sent_count: int = 0
    skipped_count: int = 0
    failed_count: int = 0
    delivered_count: int = 0
    unique_open_count: int = 0
    open_count: int = 0
    unique_click_count: int = 0
    click_count: int = 0
    unsubscribe_count: int = 0
    bounce_count: int = 0
    complaint_count: int = 0


class Rates(msgspec.Struct, frozen=True):
    """Shares of the mails sent, from 0 to 1 in steps of 0.0001; ``click_to_open_rate`` is one of those that opened.

    A share of nothing is 0.
    """

    delivery_rate: float
    open_rate: float
    click_rate: float
    click_to_open_rate: float
    unsubscribe_rate: float
    bounce_rate: float
    complaint_rate: float


NOTHING: Final = (0,) * len(Counters.__struct_fields__)
SUMS: Final = Sums(table="campaign_counters", key=("campaign_id",), counts=Counters.__struct_fields__)


def share(row: MailFacts) -> tuple[int, ...]:
    """What a recipient adds to the counters, in the order of :class:`Counters`."""
    skipped, failed = row.status == "skipped", row.status == "failed"
    return (
        0 if skipped else 1,
        0 if row.sent_at is None or failed else 1,
        1 if skipped else 0,
        1 if failed else 0,
        0 if row.delivered_at is None else 1,
        1 if row.open_count else 0,
        row.open_count,
        1 if row.click_count else 0,
        row.click_count,
        0 if row.unsubscribed_at is None else 1,
        0 if row.bounced_at is None else 1,
        0 if row.complained_at is None else 1,
    )


def rates(counters: Counters) -> Rates:
    """What follows from the counters."""
    sent = counters.sent_count
    return Rates(
        delivery_rate=_ratio(counters.delivered_count, sent),
        open_rate=_ratio(counters.unique_open_count, sent),
        click_rate=_ratio(counters.unique_click_count, sent),
        click_to_open_rate=_ratio(counters.unique_click_count, counters.unique_open_count),
        unsubscribe_rate=_ratio(counters.unsubscribe_count, sent),
        bounce_rate=_ratio(counters.bounce_count, sent),
        complaint_rate=_ratio(counters.complaint_count, sent),
    )


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 4) if whole else 0.0


async def counters_of(connection: psycopg.AsyncConnection[Any], campaign_id: int) -> Counters:
    """A campaign's counters, as far as ``campaign_recipients`` has come; zeros for one without recipients."""
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(SELECT, (campaign_id,), prepare=True)
    row = await cursor.fetchone()
    return Counters(*row) if row else Counters()
