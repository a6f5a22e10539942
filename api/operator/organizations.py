"""Organizations, for operators."""

from __future__ import annotations

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.directory import Named
from api.fields import said
from api.operator import show
from api.operator.requests import CreateOrganization, change, deed
from domain.store.order import Accepted


class Organizations(msgspec.Struct):
    """All organizations, by slug."""

    organizations: list[show.OrganizationPayload]


async def list_all(call: Call) -> Answer:
    """All organizations."""
    entries = sorted(call.wiring.directory.now.organizations.values(), key=lambda entry: entry.slug)
    return json_answer(Organizations([show.organization(entry) for entry in entries]))


async def create(call: Call, given: CreateOrganization) -> Answer:
    """Make an organization."""

    def render(done: Accepted) -> Answer:
        made = Named(done.number, done.state.slug, done.state.name, call.now)
        return json_answer(show.organization(made), status=201, position=done.position)

    return await change(call, deed(call).create_organization(given.slug, said(given.name) or ""), render)
