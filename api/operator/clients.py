"""Clients, for operators: make, switch on and off."""

from __future__ import annotations

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from api.answer import Answer, json_answer
from api.call import Call
from api.directory import Client
from api.fields import said
from api.operator import show
from api.operator.requests import (
    CreateWithin,
    OfClient,
    OfOrganization,
    change,
    client_named,
    deed,
    organization_named,
)
from domain.store.order import Accepted


class Clients(msgspec.Struct):
    """Clients, by organization and slug."""

    clients: list[show.ClientPayload]


async def list_all(call: Call, given: OfOrganization) -> Answer:
    """The clients of one organization, or of all."""
    owner = None if given.organization is UNSET else organization_named(call, given.organization)
    entries = sorted(call.wiring.directory.now.clients.values(), key=lambda entry: (entry.organization, entry.slug))
    wanted = [entry for entry in entries if owner is None or entry.organization_id == owner.number]
    return json_answer(Clients([show.client(entry) for entry in wanted]))


async def create(call: Call, given: CreateWithin) -> Answer:
    """Make a client, switched on and without a key."""
    owner = organization_named(call, given.organization)

    def render(done: Accepted) -> Answer:
        state = done.state
        made = Client(done.number, state.slug, state.name, call.now, owner.number, owner.slug, state.active, {})
        return json_answer(show.client(made), status=201, position=done.position)

    return await change(call, deed(call).create_client(owner, given.slug, said(given.name) or ""), render)


async def activate(call: Call, given: OfClient) -> Answer:
    """Let a client make calls again."""
    return await switch(call, given, active=True)


async def deactivate(call: Call, given: OfClient) -> Answer:
    """Stop a client from making calls, within a second everywhere."""
    return await switch(call, given, active=False)


async def switch(call: Call, given: OfClient, *, active: bool) -> Answer:
    """Switch a client on or off."""
    app = client_named(call, given.organization)

    def render(done: Accepted) -> Answer:
        return json_answer(show.client(replace(app, active=done.state.active)), position=done.position)

    return await change(call, deed(call).switch_client(app, active=active), render)
