"""Whom a campaign means, as of a position of the log: read models for the many, the log for those changed since."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import lru_cache
from typing import Any, Final, NamedTuple

import psycopg
from psycopg import IsolationLevel
from psycopg.rows import TupleRow

from domain import contact
from domain.campaign import Campaign, CampaignContent
from domain.contact import Contact
from domain.eligibility import CAMPAIGN, Candidate, SkipReason, campaign_skip_reason, is_intended, skip_reason
from domain.store.log import Store
from projections.campaign_audience.list_members import MEMBERS, ListMembers, list_members

CHUNK: Final = 5_000
NOBODY: Final = contact.decider.initial

# A rebuild puts new tables in the place of these; the snapshot of those that it finds must come after their rows.
HOLD = "LOCK TABLE contacts, category_choices, recipient_lists, recipients IN ACCESS SHARE MODE"
CHANGED = """
WITH changed AS MATERIALIZED (
    SELECT contact_id, min(originator_version) > 1 AS known,
        bool_or(split_part(topic, '@', 1) IN ('contact.erased', 'contact.subscription_withdrawn')) AS gone
    FROM log WHERE notification_id > %(position)s
    AND originator_id >= stream_id(4, 0) AND originator_id < stream_id(5, 0) GROUP BY contact_id
)
"""
# Who was in the audience then is in it still, or was erased or taken out of it since.
KNOWN = f"""{CHANGED}
SELECT contact_id FROM changed WHERE known
AND contact_id IN (SELECT contact_id FROM contacts WHERE audience_id = %(audience)s)
UNION SELECT contact_id FROM changed WHERE known AND gone
"""
# The facts about a contact are the same on all its rows; what differs are the rows of the audience and of the client.
INTENDED = f"""{CHANGED}
SELECT c.contact_id, bool_or(c.hard_bounced), bool_or(c.complained), bool_or(c.global_unsubscribed),
    min(c.validation_status),
    bool_or(c.globally_verified_at IS NOT NULL OR (c.client_id IN (0, %(client)s) AND c.verified_at IS NOT NULL)),
    max(c.status) FILTER (WHERE c.client_id = 0), max(c.status) FILTER (WHERE c.client_id = %(client)s),
    bool_or(k.contact_id IS NOT NULL)
FROM contacts c
LEFT JOIN category_choices k ON k.audience_id = c.audience_id AND k.client_id = %(client)s AND k.tag = %(category)s
    AND k.contact_id = c.contact_id AND NOT k.enabled
WHERE c.audience_id = %(audience)s AND c.tags @> %(include)s::text[] AND NOT c.tags && %(exclude)s::text[]
    AND NOT EXISTS (SELECT FROM changed WHERE changed.contact_id = c.contact_id)
GROUP BY c.contact_id
"""
# Stream by stream: a plan that goes through all of the log would do so for each chunk.
HISTORY = """
SELECT number, topic, state FROM unnest(%(numbers)s::bigint[]) AS n (number)
CROSS JOIN LATERAL (
    SELECT topic, state FROM log WHERE originator_id = stream_id(4, number) AND notification_id <= %(position)s
    ORDER BY originator_version OFFSET 0) AS l
"""
KNOWN_MEMBERS = f"SELECT contact_id FROM ({KNOWN}) AS k WHERE contact_id IN ({MEMBERS})"
INTENDED_MEMBERS = INTENDED.replace("FROM contacts c", f"FROM contacts c JOIN ({MEMBERS}) AS m USING (contact_id)", 1)
"""Of these, the members of a list."""

Connection = psycopg.Connection[Any]


class Intended(NamedTuple):
    """A contact that the campaign means, and why it gets no mail, if so."""

    contact_id: int
    skip_reason: SkipReason | None


def intended(store: Store, campaign: Campaign, position: int) -> Iterator[list[Intended]]:
    """Give everyone whom the campaign means as of the position, in chunks, each contact once.

    The read models must reflect the position; they tell of contacts that did not change since, the log of the others.
    Raises psycopg's OperationalError, Unavailable and UnknownEvent.
    """
    content = campaign.content or CampaignContent(subject="")
    with closing(psycopg.connect(store.conninfo)) as connection:
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        connection.execute(HOLD)
        key, members = content.recipient_list_key, None
        if key:
            members = list_members(store, connection, campaign, key, position)
        asked = parameters(campaign, content, position, members)
        for rows in chunks(connection, KNOWN_MEMBERS if members else KNOWN, asked):
            numbers = [number for (number,) in rows]
            yield _as_of(store, connection, campaign, content, {"numbers": numbers, "position": position})
        for rows in chunks(connection, INTENDED_MEMBERS if members else INTENDED, asked):
            yield [_now(row) for row in rows]


def chunks(connection: Connection, query: str, asked: dict[str, object]) -> Iterator[list[TupleRow]]:
    """The rows of a query, some thousand at a time."""
    with connection.cursor(name="candidates") as cursor:
        cursor.itersize = CHUNK
        cursor.execute(query, asked)
        while rows := cursor.fetchmany(CHUNK):
            yield rows


def parameters(
    campaign: Campaign, content: CampaignContent, position: int, members: ListMembers | None = None
) -> dict[str, object]:
    """The parameters of the queries, those of a list with its members."""
    return {
        "position": position,
        **(members.parameters if members else {}),
        "audience": campaign.audience_id,
        "client": campaign.client_id,
        "category": content.category_tag,
        "include": list(content.include_tags),
        "exclude": list(content.exclude_tags),
    }


def _now(row: TupleRow) -> Intended:
    number, *facts = row
    return Intended(number, reason_of(*facts))


@lru_cache(maxsize=4096)
def reason_of(*facts: Any) -> SkipReason | None:
    """What speaks against a candidate of these facts: of a hundred thousand, most are alike."""
    return skip_reason(Candidate(*facts), CAMPAIGN)


def _as_of(
    store: Store, connection: Connection, campaign: Campaign, content: CampaignContent, asked: dict[str, object]
) -> list[Intended]:
    """Those that changed since: what they were is for the log to say. No rule asks for a text, so no key is needed."""
    evolve, opened = contact.decider.evolve, store.mapper.open
    states: dict[int, Contact] = {}
    for number, topic, data in connection.cursor(binary=True).execute(HISTORY, asked):
        states[number] = evolve(states.get(number, NOBODY), opened(topic, data, {}))
    where = (campaign.audience_id, campaign.client_id, content.category_tag)
    return [
        Intended(number, campaign_skip_reason(state, *where))
        for number, state in states.items()
        if was_meant(state, campaign.audience_id, content)
    ]


def was_meant(state: Contact, audience_id: int, content: CampaignContent) -> bool:
    """Tell whether the contact was in the audience and had the tags."""
    here = any(audience == audience_id for audience, _ in state.subscriptions)
    return here and is_intended(state.tags.get(audience_id, frozenset()), content.include_tags, content.exclude_tags)
