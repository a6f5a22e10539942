"""Recipient lists: a client's named groups of recipients, a tree that their keys spell out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of, load, submit
from api.errors import not_found, refused
from api.fields import said
from api.message_requests import done
from domain import recipient_list
from domain.decider import Rejected
from domain.recipient_list import (
    NAME_LIMIT,
    ListContent,
    OpenList,
    RecipientList,
    RecipientListOpened,
    ancestors,
    check_key,
)
from domain.store.order import Accepted, Loaded, Order

CREATED, OK = 201, 200
DESCRIPTION_LIMIT = 10_000
PROJECTION = "recipient_lists"


class SaveRecipientList(msgspec.Struct, kw_only=True):
    """All that is said of a list; what is not said is empty."""

    name: Annotated[str, Meta(max_length=NAME_LIMIT)] = ""
    description: Annotated[str, Meta(max_length=DESCRIPTION_LIMIT)] = ""
    metadata: dict[str, Any] | UnsetType = UNSET


class RecipientListPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A list; ``ancestors`` are the lists around it, nearest first."""

    id: int
    key: str
    ancestors: tuple[str, ...]
    name: str
    description: str
    metadata: dict[str, Any]
    created_at: datetime | None
    updated_at: datetime | None


class RecipientListAnswer(msgspec.Struct, frozen=True):
    """The list as it is now."""

    recipient_list: RecipientListPayload


class SavedRecipientList(msgspec.Struct, frozen=True):
    """The list as it is now, and whether this request made it."""

    recipient_list: RecipientListPayload
    created: bool


async def found(call: Call) -> Loaded:
    """The list that the path names. Raises Invalid ``not_found`` on ``key``."""
    loaded = await load(call, recipient_list.decider, key=natural_key(call, call.given_names["key"]))
    if not loaded.version:
        raise not_found("key")
    return loaded


async def show(call: Call) -> Answer:
    """A list of the client, never stale."""
    loaded = await found(call)
    return json_answer(RecipientListAnswer(payload(loaded.number, loaded.state)), position=loaded.position)


async def save(call: Call, given: SaveRecipientList) -> Answer:
    """Make a list or describe it; the lists around it are there from then on."""
    key = call.given_names["key"]
    try:
        check_key(key)
    except Rejected as refusal:
        raise refused(refusal) from None
    for around in reversed(ancestors(key)):
        await done(call, opening(call, around))
    content = ListContent(name=given.name, description=given.description, metadata=said(given.metadata) or {})
    scope = {"organization_id": call.caller.organization_id, "client_id": call.caller.number}
    command = recipient_list.SaveList(at=call.now, **scope, key=key, content=content)

    def render(made: Accepted) -> Answer:
        created = any(isinstance(event, RecipientListOpened) for event in made.events)
        saved = SavedRecipientList(payload(made.number, made.state), created)
        return json_answer(saved, status=CREATED if created else OK, position=made.position)

    return await submit(call, recipient_list.decider, command, render, key=natural_key(call, key))


def opening(call: Call, key: str) -> Order:
    """Have the list, described or not."""
    caller = call.caller
    command = OpenList(at=call.now, organization_id=caller.organization_id, client_id=caller.number, key=key)
    return Order(decider=recipient_list.decider, command=command, context=context_of(call), key=natural_key(call, key))


def natural_key(call: Call, key: str) -> str:
    """How the store knows the caller's list."""
    return recipient_list.key_of(call.caller.number, key)


def payload(number: int, state: RecipientList) -> RecipientListPayload:
    """A list that exists."""
    return RecipientListPayload(
        id=number,
        key=state.key,
        ancestors=ancestors(state.key),
        **msgspec.structs.asdict(state.content),
        created_at=state.created_at,
        updated_at=state.updated_at,
    )
