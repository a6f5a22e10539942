"""The members of a recipient list one by one: who is on it, putting somebody on, taking somebody off."""

from __future__ import annotations

import asyncio
from datetime import datetime
from functools import partial
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of, load
from api.errors import Invalid
from api.fields import Email, said
from api.message_requests import done, registered
from api.recipient_lists import found
from domain import contact, recipient
from domain.addressee import address
from domain.email_address import normalize
from domain.recipient import METADATA_LIMIT, PutRecipient, RecipientAdded, RemoveRecipient, key_problem, metadata_text
from domain.store.order import Loaded, Order
from projections.recipient_members import Member, members

PAGE = 100


class MemberQuery(msgspec.Struct, kw_only=True):
    """Which members, how many at most, and behind which one."""

    include_removed: bool = False
    limit: Annotated[int, Meta(ge=1, le=500)] = PAGE
    cursor: Annotated[int, Meta(ge=0, le=2**53)] = 0


class PutMember(msgspec.Struct, kw_only=True):
    """Who stands there. Without ``metadata``, what is there stays."""

    email: Email
    metadata: dict[str, Any] | UnsetType = UNSET


class MemberPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the list, or of one within it: ``recipient_list_key``. ``email`` is null once it was erased."""

    source_object_key: str
    recipient_list_key: str
    contact_id: int
    email: str | None
    metadata: dict[str, Any]
    active: bool
    added_at: datetime | None
    updated_at: datetime | None
    removed_at: datetime | None


class MemberPage(msgspec.Struct, frozen=True):
    """A page in the order of their coming; ``count`` is how many it has, ``next_cursor`` null on the last."""

    members: list[MemberPayload]
    count: int
    next_cursor: str | None


class MemberAnswer(msgspec.Struct, frozen=True):
    """The member, and whether this request put the contact there, for the first time or again."""

    member: MemberPayload
    created: bool


class RemovedMember(msgspec.Struct, frozen=True):
    """Whether this request took the member off."""

    source_object_key: str
    removed: bool


async def list_members(call: Call, given: MemberQuery) -> Answer:
    """A page of the members of the list and of the lists within it."""
    there = await found(call)
    async with call.wiring.reads.connection() as connection:
        rows = await members(
            connection,
            call.caller.number,
            there.state.key,
            limit=given.limit + 1,
            after=given.cursor,
            include_removed=given.include_removed,
        )
    shown = rows[: given.limit]
    people = await people_of(call, [row.contact_id for row in shown])
    more = str(shown[-1].recipient_id) if len(rows) > given.limit else None
    own = call.caller.organization_id
    page = MemberPage([of_row(row, people[row.contact_id], own) for row in shown], len(shown), more)
    return json_answer(page, position=call.reflected)


async def people_of(call: Call, numbers: list[int]) -> dict[int, contact.Contact]:
    """The contacts of these numbers, as they are now."""
    read = partial(call.wiring.store.load, contact.decider, numbers=list(dict.fromkeys(numbers)))
    return {loaded.number: loaded.state for loaded in await asyncio.to_thread(read)} if numbers else {}


def of_row(row: Member, person: contact.Contact, organization_id: int) -> MemberPayload:
    """A member as the read model has it, and the organization may see it."""
    return MemberPayload(
        source_object_key=row.source_object_key,
        recipient_list_key=row.list_key,
        contact_id=row.contact_id,
        email=address(person, organization_id),
        metadata=msgspec.json.decode(row.metadata or "{}"),
        active=row.removed_at is None,
        added_at=row.added_at,
        updated_at=row.updated_at,
        removed_at=row.removed_at,
    )


async def put(call: Call, given: PutMember) -> Answer:
    """Have the contact of the address on the list; another one that stood there under the key is taken off."""
    there = await found(call)
    source, metadata = call.given_names["source_object_key"], said(given.metadata)
    check(source, metadata)
    email = normalize(given.email)
    person = await registered(call, email)
    before = await standing(call, there.number, source)
    if before.state.active and before.state.contact_id != person.number:
        await done(call, removal(call, there.number, source, before.state.contact_id))
    made = await done(call, placing(call, there.number, source, person.number, metadata))
    state: recipient.Recipient = made.state
    member = MemberPayload(
        source_object_key=source,
        recipient_list_key=there.state.key,
        contact_id=person.number,
        email=email,
        metadata=msgspec.json.decode((state.metadata.text if state.metadata else "") or "{}"),
        active=state.active,
        added_at=state.added_at,
        updated_at=state.updated_at,
        removed_at=state.removed_at,
    )
    created = any(isinstance(event, RecipientAdded) for event in made.events)
    return json_answer(MemberAnswer(member, created), position=made.position)


async def remove(call: Call) -> Answer:
    """Take a member off the list; quiet when it was before."""
    there = await found(call)
    source = call.given_names["source_object_key"]
    check(source, None)
    before = await standing(call, there.number, source)
    made = await done(call, removal(call, there.number, source, before.state.contact_id))
    return json_answer(RemovedMember(source, bool(made.events)), position=made.position)


def check(source: str, metadata: dict[str, Any] | None) -> None:
    """Raises Invalid for a key that is none and for metadata that is too large, before anybody is registered."""
    wrong = {"source_object_key": code} if (code := key_problem(source)) else {}
    if metadata is not None and len(metadata_text(metadata)) > METADATA_LIMIT:
        wrong["metadata"] = "too_large"
    if wrong:
        raise Invalid(wrong)


async def standing(call: Call, list_id: int, source: str) -> Loaded:
    """The place on the list as it is; its personal data stays closed."""
    return await load(call, recipient.decider, key=recipient.key_of(list_id, source))


def placing(call: Call, list_id: int, source: str, contact_id: int, metadata: dict[str, Any] | None) -> Order:
    """Have the contact there."""
    command = PutRecipient(
        at=call.now, list_id=list_id, contact_id=contact_id, source_object_key=source, metadata=metadata
    )
    return to(call, list_id, source, contact_id, command)


def removal(call: Call, list_id: int, source: str, contact_id: int) -> Order:
    """Take the contact off."""
    return to(call, list_id, source, contact_id, RemoveRecipient(at=call.now))


def to(call: Call, list_id: int, source: str, contact_id: int, command: recipient.Command) -> Order:
    """A command for a place; what it says is sealed for the contact."""
    return Order(
        decider=recipient.decider,
        command=command,
        context=context_of(call),
        key=recipient.key_of(list_id, source),
        contact_id=contact_id,
    )
