"""Sending a transactional mail to each member of a recipient list, kept or given with the request, at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer
from api.call import Call
from api.commands import context_of, load
from api.errors import Invalid
from api.fields import said
from api.message_requests import is_keyed, key_of
from api.recipient_lists import PROJECTION, found
from api.recipient_lists_bulk import CHUNK, Members, checked, register
from api.recipient_lists_members import people_of
from api.recipient_lists_sends import queue
from api.recipient_lists_sent import answer
from api.scalars import Errors
from api.senders import Trimmed
from api.transactional import KEY_LIMIT, SendTransactional, scope, sender_of, usable, wishes_of
from domain import client, template
from domain.contact import tag_named
from domain.list_send import Mailing
from domain.message.wishes import check_wishes
from domain.reconciling import MEMBERS_LIMIT, Wanted
from domain.store.list_sending import ListSending, Sent, Target
from domain.template import Template
from projections.recipient_members import members


class ListSend(msgspec.Struct, kw_only=True):
    """A mail to each member. A member's metadata is its context, over ``context``, which all have in common.

    A member's message has the key ``<idempotency_key>:<source_object_key>``; an Idempotency-Key header will do instead.
    """

    template_key: Trimmed
    idempotency_key: Annotated[str, Meta(max_length=KEY_LIMIT)] = ""
    context: dict[str, Any] | UnsetType = UNSET
    metadata: dict[str, Any] | UnsetType = UNSET
    from_email: Trimmed = ""
    reply_to: str = ""
    headers: dict[str, str] | UnsetType = UNSET
    category_tag: Trimmed = ""
    audience: Trimmed | UnsetType = UNSET
    client: Trimmed | UnsetType = UNSET

    async def check(self, call: Call) -> None:
        """Ask the rules that hold for all members. Raises Invalid with every wrong field."""
        await prepare(call, self, {})


class TransientSend(ListSend, kw_only=True):
    """As a send to a list, to members that are on none."""

    members: Members

    async def check(self, call: Call) -> None:
        """Ask the rules about members too. Raises Invalid with every wrong field."""
        errors: Errors = {}
        wanted_of(self, errors)
        await prepare(call, self, errors)


class Prepared(NamedTuple):
    """What all members get, in which nothing is wrong."""

    mailing: Mailing
    template: Template


async def send(call: Call, given: ListSend) -> Answer:
    """Send to each active member of the list and of those within it; to many of them in the background."""
    there = await found(call)
    prepared = await prepare(call, given, {})
    await call.wiring.positions.reached(PROJECTION, there.position)
    async with call.wiring.reads.connection() as connection:
        rows = await members(connection, call.caller.number, there.state.key, limit=MEMBERS_LIMIT + 1)
    if len(rows) > MEMBERS_LIMIT:
        return await queue(call, there.state.key, prepared.mailing)
    people = await people_of(call, [row.contact_id for row in rows])
    targets = {
        row.source_object_key: Target(
            row.recipient_id,
            row.source_object_key,
            row.contact_id,
            people[row.contact_id],
            msgspec.json.decode(row.metadata or "{}"),
        )
        for row in reversed(rows)
    }
    return await carry_out(call, prepared, list(targets.values())[::-1], there.state.key, there.position)


async def send_transient(call: Call, given: TransientSend) -> Answer:
    """Send to each of the members that the request names."""
    errors: Errors = {}
    wanted = wanted_of(given, errors)
    prepared = await prepare(call, given, errors)
    contacts, position = await register(call, [member.email for member in wanted.values()])
    people = await people_of(call, list(contacts.values()))
    targets = [
        Target(0, key, contacts[member.email], people[contacts[member.email]], member.metadata or {})
        for key, member in wanted.items()
    ]
    return await carry_out(call, prepared, targets, None, position)


def wanted_of(given: TransientSend, errors: Errors) -> dict[str, Wanted]:
    """The members by source object key. What is wrong is noted."""
    try:
        return checked(given.members)
    except Invalid as refusal:
        errors.update(refusal.fields)
        return {}


async def prepare(call: Call, given: ListSend, errors: Errors) -> Prepared:
    """Look up and choose what all have in common. Raises Invalid with every wrong field, those noted before too."""
    asked = request_of(given)
    audience_id = scope(call, asked, errors)
    if not is_keyed(call, given.idempotency_key):
        errors["idempotency_key"] = "required"
    owner, kept = await asyncio.gather(
        load(call, client.decider, number=call.caller.number),
        load(call, template.decider, key=template.natural_key(call.caller.number, given.template_key)),
    )
    content = usable(kept.state, errors)
    sender = sender_of(owner.state, content, given.from_email, errors)
    errors.update(check_wishes(wishes_of(asked)))
    if errors:
        raise Invalid(errors)
    mailing = Mailing(
        key=key_of(call, given.idempotency_key),
        template_key=kept.state.key,
        sender=sender,
        audience_id=audience_id,
        **common(given, asked),
    )
    return Prepared(mailing, kept.state)


def common(given: ListSend, asked: SendTransactional) -> dict[str, Any]:
    """What the request itself says to all."""
    return {
        "category_tag": tag_named(given.category_tag).slug if given.category_tag else "",
        "wishes": wishes_of(asked),
        "context": said(given.context) or {},
        "metadata": said(given.metadata) or {},
    }


def request_of(given: ListSend) -> SendTransactional:
    """What is asked, as the request of one message."""
    return SendTransactional(
        email="",
        template_key=given.template_key,
        context=given.context,
        from_email=given.from_email,
        reply_to=given.reply_to,
        headers=given.headers,
        category_tag=given.category_tag,
        audience=given.audience,
        client=given.client,
    )


async def carry_out(
    call: Call, prepared: Prepared, targets: Sequence[Target], list_key: str | None, position: int
) -> Answer:
    """Write to each, in chunks. What an interrupted request has done stands, and a repeat goes on from there."""
    sending = ListSending(call.wiring.store, context_of(call), *prepared, call.now)
    sent: list[Sent] = []
    for start in range(0, len(targets), CHUNK):
        sent += await asyncio.to_thread(sending.send, targets[start : start + CHUNK])
    position = max([position, *(each.position for each in sent)])
    return answer(prepared.mailing, list_key, sent, position)
