"""API keys of a client, for operators: make one, which shows it once, list and revoke them."""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from api.answer import ENCODER, Answer, json_answer
from api.call import Call
from api.fields import said
from api.operator import show
from api.operator.requests import CreateKey, OfClient, change, client_named, deed
from api.tenancy import key_pepper
from domain import api_key
from domain.store.order import Accepted


class Keys(msgspec.Struct):
    """The keys of a client, newest first, revoked ones included."""

    keys: list[show.KeyPayload]


async def list_all(call: Call, given: OfClient) -> Answer:
    """The keys of a client."""
    app = client_named(call, given.organization)
    used = await call.wiring.usage.read(list(app.keys))
    newest_first = sorted(app.keys.items(), key=lambda item: item[1].issued_at, reverse=True)
    return json_answer(Keys([show.key(public_id, key, used.get(public_id)) for public_id, key in newest_first]))


async def create(call: Call, given: CreateKey) -> Answer:
    """Make a key. It is shown in this answer and never again."""
    app = client_named(call, given.organization)
    key = api_key.generate()
    order = deed(call).issue_key(
        app, key, key_pepper(call.wiring.store), name=given.name, notes=said(given.notes) or ""
    )

    def render(done: Accepted) -> Answer:
        entry = done.state.keys[key.public_id]
        made = show.NewKeyPayload(
            public_id=key.public_id, name=entry.name, notes=entry.notes, created_at=entry.issued_at, key=str(key)
        )
        answer = json_answer(made, status=201, position=done.position)
        made.key = None
        return replace(answer, kept=ENCODER.encode(made))

    return await change(call, order, render)


async def revoke(call: Call, given: OfClient) -> Answer:
    """Make a key open nothing any more, within a second everywhere."""
    app = client_named(call, given.organization)
    public_id = call.given_names["public_id"].removeprefix("dm_")

    def render(done: Accepted) -> Answer:
        return json_answer(show.key(public_id, done.state.keys[public_id], None), position=done.position)

    return await change(call, deed(call).revoke_key(app, public_id), render)
