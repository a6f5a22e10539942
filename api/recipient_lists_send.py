"""Sending a transactional mail to each member of a recipient list, kept or given with the request, at most once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of, load
from api.errors import Invalid
from api.fields import said
from api.message_payload import address, status_of
from api.message_requests import check_recipient, is_keyed, key_of
from api.recipient_lists import PROJECTION, found
from api.recipient_lists_bulk import CHUNK, Members, checked, register
from api.recipient_lists_members import people_of
from api.recipient_lists_sent import ListSent, MemberErrors, MemberMessage, SendCounts
from api.refusals import noted
from api.scalars import Errors
from api.senders import Trimmed
from api.transactional import KEY_LIMIT, Prepared, SendTransactional, command_of, scope, usable, wishes_of
from domain import client, message, template
from domain.contact import Contact, tag_named
from domain.decider import Rejected
from domain.message.content import MessageRequest, compose
from domain.message.wishes import check_wishes
from domain.reconciling import MEMBERS_LIMIT
from domain.sender import Sender, choose
from domain.store.order import Accepted, Failed, Order, Refused
from domain.template import Template
from projections.recipient_lists import members

ACCEPTED = 202


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


class TransientSend(ListSend, kw_only=True):
    """As a send to a list, to members that are on none."""

    members: Members


class Target(NamedTuple):
    """A member to write to."""

    source_object_key: str
    contact_id: int
    person: Contact
    metadata: dict[str, Any]


class Mailing(NamedTuple):
    """What all members get, in which nothing is wrong."""

    asked: SendTransactional
    key: str
    template: Template
    sender: Sender
    audience_id: int
    category: str
    metadata: dict[str, Any]


async def send(call: Call, given: ListSend) -> Answer:
    """Send to each active member of the list and of those within it."""
    there = await found(call)
    mailing = await prepared(call, given)
    await call.wiring.positions.reached(PROJECTION, there.position)
    async with call.wiring.reads.connection() as connection:
        rows = await members(connection, call.caller.number, there.state.key, limit=MEMBERS_LIMIT + 1)
    if len(rows) > MEMBERS_LIMIT:
        raise Invalid({"key": "too_many"})
    people = await people_of(call, [row.contact_id for row in rows])
    targets = {
        row.source_object_key: Target(
            row.source_object_key, row.contact_id, people[row.contact_id], msgspec.json.decode(row.metadata or "{}")
        )
        for row in reversed(rows)
    }
    return await carry_out(call, mailing, list(targets.values())[::-1], there.state.key, there.position)


async def send_transient(call: Call, given: TransientSend) -> Answer:
    """Send to each of the members that the request names."""
    wanted = checked(given.members)
    mailing = await prepared(call, given)
    contacts, position = await register(call, [member.email for member in wanted.values()])
    people = await people_of(call, list(contacts.values()))
    targets = [
        Target(key, contacts[member.email], people[contacts[member.email]], member.metadata or {})
        for key, member in wanted.items()
    ]
    return await carry_out(call, mailing, targets, None, position)


async def prepared(call: Call, given: ListSend) -> Mailing:
    """Look up and choose what all have in common. Raises Invalid with every wrong field."""
    errors: Errors = {}
    asked = request_of(given)
    audience_id = scope(call, asked, errors)
    if not is_keyed(call, given.idempotency_key):
        errors["idempotency_key"] = "required"
    owner, kept = await asyncio.gather(
        load(call, client.decider, number=call.caller.number),
        load(call, template.decider, key=template.natural_key(call.caller.number, given.template_key)),
    )
    content = usable(kept.state, errors)
    sender = Sender("", "")
    with noted(errors):
        default = content.default_sender_id if content else ""
        sender = choose(owner.state.senders, given.from_email, default, owner.state.default_sender_id)
    errors.update(check_wishes(wishes_of(asked)))
    if errors:
        raise Invalid(errors)
    category = tag_named(given.category_tag).slug if given.category_tag else ""
    key = key_of(call, given.idempotency_key)
    return Mailing(asked, key, kept.state, sender, audience_id, category, said(given.metadata) or {})


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
    call: Call, mailing: Mailing, targets: Sequence[Target], list_key: str | None, position: int
) -> Answer:
    """Write to each, in chunks. What an interrupted request has done stands, and a repeat goes on from there."""
    messages: list[MemberMessage] = []
    errors: list[MemberErrors] = []
    for start in range(0, len(targets), CHUNK):
        chunk = targets[start : start + CHUNK]
        position = max(position, await asyncio.to_thread(requested, call, mailing, chunk, messages, errors))
    skipped = sum(each.status == "skipped" and not each.idempotent_replay for each in messages)
    replayed = sum(each.idempotent_replay for each in messages)
    body = ListSent(
        recipient_list_key=list_key,
        template_key=mailing.template.key,
        idempotency_key=mailing.key,
        counts=SendCounts(
            total=len(targets),
            enqueued=len(messages) - skipped - replayed,
            skipped=skipped,
            replayed=replayed,
            failed=len(errors),
        ),
        messages=messages,
        errors=errors,
    )
    return json_answer(body, status=ACCEPTED, position=position)


def requested(
    call: Call, mailing: Mailing, chunk: Iterable[Target], messages: list[MemberMessage], errors: list[MemberErrors]
) -> int:
    """Request the messages of a chunk, beside the event loop. Gives the log position that has them."""
    orders = dict(composed(call, mailing, chunk, errors))
    position = 0
    outcomes = call.wiring.store.handle(*orders.values()) if orders else []
    for (source, order), made in zip(orders.items(), outcomes, strict=True):
        if isinstance(made, Refused):
            errors.append(MemberErrors(source, made.error.fields))
            continue
        if not isinstance(made, Accepted):
            raise made.error if isinstance(made, Failed) else TypeError(made)
        position = max(position, made.position)
        messages.append(shown(source, order.contact_id, made))
    return position


def shown(source: str, contact_id: int, made: Accepted) -> MemberMessage:
    """A member's message, made now or before."""
    state: message.Message = made.state
    return MemberMessage(
        source_object_key=source,
        contact_id=state.contact_id or contact_id,
        id=made.number,
        status=status_of(state),
        skip_reason=state.skip_reason,
        idempotent_replay=not made.events,
    )


def composed(
    call: Call, mailing: Mailing, chunk: Iterable[Target], errors: list[MemberErrors]
) -> Iterator[tuple[str, Order]]:
    """The order of each member's message; one that cannot be written to, or lacks context, is noted."""
    context = context_of(call)
    for target in chunk:
        key = f"{mailing.key}:{target.source_object_key}"
        try:
            command = request(call, mailing, target, key)
        except Rejected as refusal:
            errors.append(MemberErrors(target.source_object_key, refusal.fields))
            continue
        yield (
            target.source_object_key,
            Order(
                decider=message.transactional,
                command=command,
                context=context,
                key=message.key_of(call.caller.number, key),
                contact_id=target.contact_id,
            ),
        )


def request(call: Call, mailing: Mailing, target: Target, key: str) -> message.RequestMessage:
    """One member's message. Raises Rejected."""
    email = address(target.person, call.caller.organization_id) or ""
    check_recipient(email)
    content = mailing.template.content
    if content is None:
        raise TypeError(mailing)
    filled = (said(mailing.asked.context) or {}) | target.metadata
    made = Prepared(
        email,
        mailing.sender,
        mailing.template,
        compose(content, filled, wishes_of(mailing.asked)),
        MessageRequest(idempotency_key=key, context=filled, metadata=mailing.metadata),
        mailing.audience_id,
        mailing.category,
        target.person,
        0,
    )
    return command_of(call, made, target.contact_id, target.person)
