"""A campaign's audience previewed as of a moment: how many it means, how many get mail, and who, page by page."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns import found
from api.fields import said
from api.moments import check_reached, moment
from api.positions import min_position
from domain import campaign, contact
from domain.addressee import address
from domain.campaign import CampaignQueued, Status
from domain.eligibility import SkipReason
from domain.store.clock import position_at
from domain.store.history import Moment, read_stream
from domain.store.log import Store
from projections.campaign_audience.preview import READS, Preview, previewed

PAGE = 50
PROJECTION = READS[0]


class AudienceQuery(msgspec.Struct, kw_only=True):
    """``as_of`` is a time (ISO 8601) or a log position; without it, now. 50 contacts behind ``cursor`` or ``limit``.

    To page through one and the same audience, give the first answer's ``position`` as ``as_of``.
    """

    as_of: str | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=500)] = PAGE
    cursor: Annotated[int, Meta(ge=0, le=2**48)] | UnsetType = UNSET


class AudienceCounts(msgspec.Struct, frozen=True):
    """Of those whom the campaign means: how many would be mailed, and how many not for which reason."""

    intended: int
    mailed: int
    skipped: int
    skipped_by_reason: dict[SkipReason, int]


class AudienceContact(msgspec.Struct, frozen=True):
    """One whom the campaign means; mailed unless there is a reason. ``email`` is null once it was erased."""

    contact_id: int
    email: str | None
    skip_reason: SkipReason | None


class CampaignAudience(msgspec.Struct, frozen=True, kw_only=True):
    """The audience of the campaign, as its content is now, at ``position``; it was queued at ``queued_position``."""

    external_key: str
    status: Status
    as_of: Moment | None
    position: int
    queued_position: int | None
    counts: AudienceCounts
    contacts: list[AudienceContact]
    count: int
    next_cursor: str | None


async def audience(call: Call, given: AudienceQuery) -> Answer:
    """Whom the campaign means at a moment and who of them would be mailed; as of its queueing, whom it did mean."""
    when = moment(given.as_of, "as_of", call.now)
    there = await found(call)
    store = call.wiring.store
    check_reached(when, "as_of", there.position)
    position = await reflected(call, when)
    async with call.wiring.previews:
        preview = await asyncio.to_thread(
            previewed, store, there.state, position, after=said(given.cursor) or 0, limit=given.limit
        )
    answer = CampaignAudience(
        external_key=there.state.external_key,
        status=there.state.status,
        as_of=when,
        position=position,
        queued_position=await asyncio.to_thread(queued_position, store, there.number),
        counts=counts(preview),
        contacts=await asyncio.to_thread(contacts, store, preview, there.state.organization_id),
        count=len(preview.page),
        next_cursor=str(preview.page[-1].contact_id) if preview.more else None,
    )
    return json_answer(answer, position=position)


async def reflected(call: Call, when: Moment | None) -> int:
    """The position to look at: that of the moment once the read models are there, or else the one that they reflect.

    Raises ApiError 503 ``projection_behind`` after 5 s.
    """
    wanted = await asyncio.to_thread(position_at, call.wiring.store, when) if isinstance(when, datetime) else when
    least = max(min_position(call, {}), wanted or 0)
    reached = [await call.wiring.positions.reached(name, least) for name in READS]
    return min(reached) if wanted is None else wanted


def contacts(store: Store, preview: Preview, organization_id: int) -> list[AudienceContact]:
    """Those on the page, with the addresses that the organization still has. Raises Unavailable."""
    people = store.load(contact.decider, numbers=[each.contact_id for each in preview.page])
    return [
        AudienceContact(number, address(person.state, organization_id), reason)
        for (number, reason), person in zip(preview.page, people, strict=True)
    ]


def counts(preview: Preview) -> AudienceCounts:
    """What the whole audience adds up to."""
    skipped = {reason: number for reason, number in sorted(preview.counts.items(), key=str) if reason is not None}
    intended = sum(preview.counts.values())
    return AudienceCounts(intended, intended - sum(skipped.values()), sum(skipped.values()), skipped)


def queued_position(store: Store, number: int) -> int | None:
    """Where the log has the campaign's queueing; None while it is a draft. Raises Unavailable."""
    events = read_stream(store, campaign.decider.kind, number).events
    return next((recorded.position for recorded, event in events if isinstance(event, CampaignQueued)), None)
