"""What became of a campaign: its recipients one by one, its activity over time and its links, from the read models."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns import found
from api.campaigns_payload import counted
from api.fields import said
from api.positions import min_position
from domain.eligibility import SkipReason
from projections.campaign_activity import Activity, Bucket, by_link, over_time
from projections.campaign_counters import Counters, Rates, rates
from projections.campaign_recipients import Recipient, page
from projections.mail_facts import MailStatus

PAGE = 50
COUNTERS = "campaign_recipients"
"""The read model that keeps the counters beside the recipients."""


class Recipients(msgspec.Struct, kw_only=True):
    """Which recipients, how many at most (50 unless said otherwise), and behind which contact."""

    status: MailStatus | UnsetType = UNSET
    skip_reason: SkipReason | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=500)] | UnsetType = UNSET
    cursor: Annotated[int, Meta(ge=0, le=2**48)] | UnsetType = UNSET


class RecipientPage(msgspec.Struct, frozen=True):
    """A page in the order of the contacts' numbers; ``count`` is how many it has, ``next_cursor`` null on the last."""

    recipients: list[Recipient]
    count: int
    next_cursor: str | None


class StatsQuery(msgspec.Struct, kw_only=True):
    """How long the stretches are into which time is cut."""

    bucket: Bucket = "hour"


class LinkStats(msgspec.Struct, frozen=True):
    """How often a link was followed; ``link`` is its number in the mail, null where that is not known."""

    link: int | None
    url: str | None
    clicks: int


class CampaignStats(msgspec.Struct, frozen=True, kw_only=True):
    """Counters and rates, what happened in each stretch of time that has something, and the links by clicks."""

    external_key: str
    bucket: Bucket
    counters: Counters
    rates: Rates
    activity: list[Activity]
    links: list[LinkStats]


async def recipients(call: Call, given: Recipients) -> Answer:
    """A page of those whom the campaign means, skipped ones too."""
    there = await found(call)
    size = said(given.limit) or PAGE
    async with call.wiring.reads.connection() as connection:
        rows = await page(
            connection,
            there.number,
            after=said(given.cursor) or 0,
            limit=size + 1,
            status=said(given.status),
            skip_reason=said(given.skip_reason),
        )
    shown = rows[:size]
    more = str(shown[-1].contact_id) if len(rows) > size else None
    return json_answer(RecipientPage(shown, len(shown), more), position=call.reflected)


async def stats(call: Call, given: StatsQuery) -> Answer:
    """Counters, activity over time, and links by clicks."""
    there = await found(call)
    reflected = await call.wiring.positions.reached(COUNTERS, min_position(call, {}))
    counters = await counted(call, there.number)
    async with call.wiring.reads.connection() as connection:
        activity = await over_time(connection, there.number, given.bucket)
        links = await by_link(connection, there.number)
    urls = there.state.links
    answer = CampaignStats(
        external_key=there.state.external_key,
        bucket=given.bucket,
        counters=counters,
        rates=rates(counters),
        activity=activity,
        links=[
            LinkStats(
                each.link, urls[each.link] if each.link is not None and each.link < len(urls) else None, each.clicks
            )
            for each in links
        ],
    )
    return json_answer(answer, position=min(call.reflected, reflected))
