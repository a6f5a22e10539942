"""``GET /api/campaigns/{external_key}/why``: why a campaign of the client mailed a person, or did not."""

from __future__ import annotations

import asyncio
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns import found
from api.campaigns_evidence import evidence, explained
from api.commands import load
from api.errors import Invalid, not_found
from api.fields import Email
from domain import contact
from domain.email_address import normalize
from domain.message import CONTACT_BITS

LISTS = "recipient_lists"


class WhyQuery(msgspec.Struct, kw_only=True):
    """The person, by ``contact_id`` or by ``email``."""

    contact_id: Annotated[int, Meta(ge=0, le=2**CONTACT_BITS - 1)] | UnsetType = UNSET
    email: Email | UnsetType = UNSET


async def why(call: Call, given: WhyQuery) -> Answer:
    """Why the campaign mailed a person or not: conditions and rules with the events behind them, and its mail's course.

    It comes from the log, and says no less after an erasure, but for the address.
    """
    there = await found(call)
    number, field = await person(call, given)
    store = call.wiring.store
    said = await asyncio.to_thread(evidence, store, there.number, number)
    if not said.concerns:
        raise not_found(field)
    if there.content.recipient_list_key:
        await call.wiring.positions.reached(LISTS, said.as_of)
    return json_answer(await asyncio.to_thread(explained, store, said), position=said.person.head)


async def person(call: Call, given: WhyQuery) -> tuple[int, str]:
    """The contact that is meant, and the field that named it.

    Raises Invalid: ``required`` on ``contact_id`` for neither, ``invalid`` on ``email`` for both, ``not_found`` on
    ``email`` for an address that the client's organization does not have, or does not have any more.
    """
    if given.email is UNSET:
        if given.contact_id is UNSET:
            raise Invalid({"contact_id": "required"})
        return given.contact_id, "contact_id"
    if given.contact_id is not UNSET:
        raise Invalid({"email": "invalid"})
    loaded = await load(call, contact.decider, key=normalize(given.email))
    if call.caller.organization_id not in loaded.state.organizations:
        raise not_found("email")
    return loaded.number, "email"
