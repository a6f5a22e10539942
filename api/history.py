"""``GET /api/contacts/{contact_id}/history``: what happened to a contact and to the mail for it, newest first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import NUMBER_LIMIT, Call
from api.commands import load
from api.contacts import names
from api.errors import not_found
from api.fields import Scoped, said
from api.positions import min_position
from domain import contact
from domain.contact import view
from projections.contact_history import READ, HistoryCampaign, HistoryEvent, HistoryMessage, Viewer, page

PROJECTION, *BESIDE = READ


class HistoryQuery(Scoped, kw_only=True):
    """Whose history, how many events of it, and from which event backwards."""

    limit: Annotated[int, Meta(ge=1, le=100)] = 50
    cursor: Annotated[int, Meta(ge=1)] | UnsetType = UNSET


class ContactHistory(msgspec.Struct, frozen=True, kw_only=True):
    """A page of events, newest first in the log, and the campaigns' and transactional mail that they are of.

    Mail that has events on several pages is on each of them. ``next_cursor`` is null on the last page.
    """

    contact_id: int
    email: str
    audience: str
    client: str
    campaign_recipients: Sequence[HistoryCampaign]
    transactional_messages: Sequence[HistoryMessage]
    events: Sequence[HistoryEvent]
    next_cursor: str | None


async def history(call: Call, given: HistoryQuery) -> Answer:
    """What the client may see of a contact's history in the audience; see ``domain.contact.disclosure``."""
    scope, number = names(call), call.number("contact_id")
    state = (await load(call, contact.decider, number=number)).state
    if not view.has_subscription(state, scope.audience_id, scope.client_id):
        raise not_found("contact_id")
    wanted = min_position(call, {})
    reflected = [await call.wiring.positions.reached(name, wanted) for name in BESIDE]
    viewer = Viewer(call.caller.organization_id, scope.audience_id, scope.client_id)
    async with call.wiring.reads.connection() as connection:
        before = said(given.cursor) or NUMBER_LIMIT
        found = await page(connection, viewer, number, before=before, limit=given.limit)
    answer = ContactHistory(
        contact_id=number,
        email=contact.text_of(state.email),
        audience=scope.audience,
        client=scope.client,
        campaign_recipients=found.campaigns,
        transactional_messages=found.messages,
        events=found.events,
        next_cursor=str(found.events[-1].id) if found.more else None,
    )
    return json_answer(answer, position=min([call.reflected, *reflected]))
