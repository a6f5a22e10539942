"""Audiences, for operators."""

from __future__ import annotations

import msgspec
from msgspec import UNSET

from api.answer import Answer, json_answer
from api.call import Call
from api.directory import Audience
from api.fields import said
from api.operator import show
from api.operator.requests import CreateWithin, OfOrganization, change, deed, organization_named
from domain.store.order import Accepted


class Audiences(msgspec.Struct):
    """Audiences, by organization and slug."""

    audiences: list[show.AudiencePayload]


async def list_all(call: Call, given: OfOrganization) -> Answer:
    """The audiences of one organization, or of all."""
    owner = None if given.organization is UNSET else organization_named(call, given.organization)
    entries = sorted(call.wiring.directory.now.audiences.values(), key=lambda entry: (entry.organization, entry.slug))
    wanted = [entry for entry in entries if owner is None or entry.organization_id == owner.number]
    return json_answer(Audiences([show.audience(entry) for entry in wanted]))


async def create(call: Call, given: CreateWithin) -> Answer:
    """Make an audience."""
    owner = organization_named(call, given.organization)

    def render(done: Accepted) -> Answer:
        made = Audience(done.number, done.state.slug, done.state.name, call.now, owner.number, owner.slug)
        return json_answer(show.audience(made), status=201, position=done.position)

    return await change(call, deed(call).create_audience(owner, given.slug, said(given.name) or ""), render)
