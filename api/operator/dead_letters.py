"""Dead letters, for operators: what was given up, to be tried again or dropped."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api import dead_letters
from api.answer import Answer, json_answer
from api.call import Call
from api.dead_letters import DeadLetter, Kind
from api.errors import Invalid, not_found
from api.operator.projections import Connection, within

ID: Final = "id"


class DeadLetterQuery(msgspec.Struct, kw_only=True):
    """Those of a kind or all, how many, and behind which."""

    kind: Kind | UnsetType = UNSET
    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    cursor: str | UnsetType = UNSET


class DeadLetters(msgspec.Struct, frozen=True):
    """Dead letters, those given up last first. ``next_cursor`` is null on the last page."""

    dead_letters: list[DeadLetter]
    count: int
    next_cursor: str | None


class Retried(msgspec.Struct, frozen=True):
    """It is tried again."""

    id: str
    retried: bool


class Dropped(msgspec.Struct, frozen=True):
    """It is forgotten."""

    id: str
    dropped: bool


async def list_all(call: Call, given: DeadLetterQuery) -> Answer:
    """What was given up."""
    kind = "" if given.kind is UNSET else given.kind
    cursor = "" if given.cursor is UNSET else given.cursor

    def read(connection: Connection) -> DeadLetters:
        found, after = dead_letters.listed(connection, kind=kind, limit=given.limit, cursor=cursor)
        return DeadLetters(found, len(found), after)

    try:
        return json_answer(await within(call, read))
    except ValueError:
        raise Invalid({"cursor": "invalid"}) from None


async def retry(call: Call) -> Answer:
    """Try one again, from the first attempt on."""
    name = call.given_names[ID]
    if not await within(call, lambda connection: dead_letters.retry(connection, call.wiring.store, name)):
        raise not_found(ID)
    return json_answer(Retried(name, retried=True))


async def drop(call: Call) -> Answer:
    """Forget one. A read model's is refused: nothing is passed over."""
    name = call.given_names[ID]
    try:
        found = await within(call, lambda connection: dead_letters.drop(connection, call.wiring.store, name))
    except dead_letters.NotDroppableError:
        raise Invalid({ID: "not_droppable"}) from None
    if not found:
        raise not_found(ID)
    return json_answer(Dropped(name, dropped=True))
