"""What happens to a campaign over time: sends, opens and clicks of each hour, and the clicks on each of its links."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, Literal, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from domain import message
from domain.message.events import MessageClicked, MessageOpened, MessageSent
from projections.mail_facts import MailProjection
from projections.projection import Connection, Opened
from projections.sums import Key, Sums, summed

DDL: LiteralString = """
-- One row for each hour in which something happened.
CREATE TABLE IF NOT EXISTS campaign_activity (
    campaign_id bigint NOT NULL,
    hour timestamptz NOT NULL, -- its beginning, in UTC
    sends bigint NOT NULL,
    opens bigint NOT NULL, -- every opening; so with clicks
    clicks bigint NOT NULL,
    PRIMARY KEY (campaign_id, hour)
) WITH (fillfactor = 50);
-- One row for each link that was followed; the pages that links lead to are in campaigns.links, from 0 on.
CREATE TABLE IF NOT EXISTS campaign_links (
    campaign_id bigint NOT NULL,
    link integer NOT NULL, -- its number in the mail; -1 for clicks of which it is not known
    clicks bigint NOT NULL,
    PRIMARY KEY (campaign_id, link)
) WITH (fillfactor = 50);
"""
HOURS: Final = Sums(table="campaign_activity", key=("campaign_id", "hour"), counts=("sends", "opens", "clicks"))
LINKS: Final = Sums(table="campaign_links", key=("campaign_id", "link"), counts=("clicks",))
UNKNOWN: Final = -1
"""Stands for a link whose number in the mail is not known."""
COUNTED: Final[dict[type, tuple[int, int, int]]] = {
    MessageSent: (1, 0, 0),
    MessageOpened: (0, 1, 0),
    MessageClicked: (0, 0, 1),
}

OVER_TIME: LiteralString = """
SELECT date_trunc(%s, hour, 'UTC') AS start, sum(sends)::bigint, sum(opens)::bigint, sum(clicks)::bigint
FROM campaign_activity WHERE campaign_id = %s GROUP BY start ORDER BY start
"""
BY_LINK: LiteralString = """
SELECT nullif(link, -1), clicks FROM campaign_links WHERE campaign_id = %s ORDER BY clicks DESC, link
"""
Bucket = Literal["hour", "day"]


class Activity(msgspec.Struct, frozen=True):
    """What happened from ``start`` on, for an hour or a day."""

    start: datetime
    sends: int
    opens: int
    clicks: int


class LinkClicks(msgspec.Struct, frozen=True):
    """How often a link was followed. ``link`` is its number in the mail, None where that is not known."""

    link: int | None
    clicks: int


def fold(connection: Connection, events: Sequence[Opened], /) -> None:
    """Add a batch up: two statements."""
    hours: defaultdict[Key, list[tuple[int, ...]]] = defaultdict(list)
    links: defaultdict[Key, list[tuple[int, ...]]] = defaultdict(list)
    for recorded, event in events:
        campaign_id, _ = message.campaign_and_contact(recorded.stream)
        hour = event.at.replace(minute=0, second=0, microsecond=0)
        hours[campaign_id, hour].append(COUNTED[type(event)])
        if isinstance(event, MessageClicked):
            links[campaign_id, UNKNOWN if event.link is None else event.link].append((1,))
    HOURS.add(connection, summed(hours))
    LINKS.add(connection, summed(links))


async def over_time(
    connection: psycopg.AsyncConnection[Any], campaign_id: int, bucket: Bucket = "hour"
) -> list[Activity]:
    """A campaign's activity in the order of time; stretches in which nothing happened are left out."""
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(OVER_TIME, (bucket, campaign_id), prepare=True)
    return [Activity(*row) for row in await cursor.fetchall()]


async def by_link(connection: psycopg.AsyncConnection[Any], campaign_id: int) -> list[LinkClicks]:
    """The links that were followed, most clicks first."""
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(BY_LINK, (campaign_id,), prepare=True)
    return [LinkClicks(*row) for row in await cursor.fetchall()]


PROJECTION: Final = MailProjection(
    name="campaign_activity",
    version=1,
    kinds=(message.of_campaign.kind,),
    events=tuple(COUNTED),
    ddl=DDL,
    indexes="",
    fold=fold,
)
