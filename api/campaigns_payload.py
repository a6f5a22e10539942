"""What a client sees of a campaign: its content, where it stands, its counters and the rates that follow from them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from api.call import Call
from domain.campaign import Campaign, CampaignContent, Status
from projections.campaign_counters import Counters, Rates, counters_of, rates


class CampaignPayload(Counters, frozen=True, kw_only=True):
    """A campaign. ``from_email_address`` is what the sender's id stood for when it was queued; ``error`` is a code."""

    id: int
    external_key: str
    audience: str
    client: str
    status: Status
    subject: str
    preview_text: str
    html_body: str
    text_body: str
    from_email: str
    from_email_address: str
    include_tags: tuple[str, ...]
    exclude_tags: tuple[str, ...]
    category_tag: str
    recipient_list_key: str
    scheduled_at: datetime | None
    metadata: dict[str, Any]
    rates: Rates
    created_at: datetime | None
    updated_at: datetime | None
    queued_at: datetime | None
    finished_at: datetime | None
    error: str


async def counted(call: Call, number: int) -> Counters:
    """A campaign's counters as far as the read model has come."""
    async with call.wiring.reads.connection() as connection:
        return await counters_of(connection, number)


def payload(call: Call, number: int, state: Campaign, counters: Counters) -> CampaignPayload:
    """A campaign of the calling client."""
    content = state.content or CampaignContent(subject="")
    audiences = call.wiring.directory.now.audiences.values()
    said = msgspec.structs.asdict(content) | {"from_email": state.sender_id or content.from_email}
    return CampaignPayload(
        id=number,
        external_key=state.external_key,
        audience=next((each.slug for each in audiences if each.number == state.audience_id), ""),
        client=call.caller.slug,
        status=state.status,
        **said,
        from_email_address=state.sender,
        **msgspec.structs.asdict(counters),
        rates=rates(counters),
        created_at=state.created_at,
        updated_at=state.updated_at,
        queued_at=state.queued_at,
        finished_at=state.finished_at,
        error=state.error,
    )
