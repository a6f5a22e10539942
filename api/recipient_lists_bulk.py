"""Many members of a recipient list in one call: put on, and with a reconciliation taken off, as a plan says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of
from api.errors import refused
from api.fields import Email, said
from api.recipient_lists import PROJECTION, found
from api.recipient_lists_members import placing, removal
from domain import contact
from domain.decider import Rejected
from domain.reconciling import MEMBERS_LIMIT, Plan, Present, Wanted, check_members, reconcile
from domain.store.order import Accepted, Failed, Loaded, Order, Refused
from projections.recipient_members import Known, own_members

CHUNK = 500
"""Orders that are carried out at once."""


class WantedMember(msgspec.Struct, kw_only=True):
    """Who stands under the key. Without ``metadata``, what is there stays."""

    source_object_key: str
    email: Email
    metadata: dict[str, Any] | UnsetType = UNSET


Members = Annotated[list[WantedMember], Meta(max_length=MEMBERS_LIMIT)]


class BulkUpsert(msgspec.Struct, kw_only=True):
    """Members to have on the list, besides those who are."""

    members: Members
    dry_run: bool = False


class Reconcile(msgspec.Struct, kw_only=True):
    """The members that the list should have; ``remove_absent`` takes all others off."""

    members: Members
    remove_absent: bool = False
    dry_run: bool = False


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many places a plan changes, and in which way. Those ``restored`` had been taken off before."""

    total: int
    added: int
    restored: int
    revised: int
    unchanged: int
    removed: int


class Reconciled(msgspec.Struct, frozen=True, kw_only=True):
    """What was done, or with ``dry_run`` would be, by source object keys."""

    recipient_list_key: str
    dry_run: bool
    counts: Counts
    added: Sequence[str]
    restored: Sequence[str]
    revised: Sequence[str]
    removed: Sequence[str]


class Changes(msgspec.Struct, frozen=True):
    """A plan with what it is about."""

    plan: Plan
    wanted: Mapping[str, Wanted]
    known: Mapping[str, Known]


async def bulk_upsert(call: Call, given: BulkUpsert) -> Answer:
    """Put members on the list."""
    return await carry_out(call, given.members, remove_absent=False, dry_run=given.dry_run)


async def bulk_reconcile(call: Call, given: Reconcile) -> Answer:
    """Make the list have these members, and with ``remove_absent`` no others."""
    return await carry_out(call, given.members, remove_absent=given.remove_absent, dry_run=given.dry_run)


async def carry_out(call: Call, given: list[WantedMember], *, remove_absent: bool, dry_run: bool) -> Answer:
    """Compare with the list as it is at this moment, change what differs, and say what that was."""
    there = await found(call)
    wanted = checked(given)
    await call.wiring.positions.reached(PROJECTION, there.position)
    async with call.wiring.reads.connection() as connection:
        known = await own_members(connection, there.number)
    position = there.position
    present = await presence(call, known, wanted)
    changes = Changes(reconcile(present, wanted, remove_absent=remove_absent), wanted, known)
    if not dry_run:
        position = max(position, await change(call, there.number, changes))
    plan = changes.plan
    body = Reconciled(
        recipient_list_key=there.state.key,
        dry_run=dry_run,
        counts=Counts(total=len(wanted), **plan.counts),
        added=plan.added,
        restored=plan.restored,
        revised=plan.revised,
        removed=plan.removed,
    )
    return json_answer(body, position=position)


def checked(given: Iterable[WantedMember]) -> dict[str, Wanted]:
    """The members by source object key. Raises Invalid with every wrong field."""
    members = (
        Wanted(source_object_key=each.source_object_key, email=each.email, metadata=said(each.metadata))
        for each in given
    )
    try:
        return check_members(members)
    except Rejected as refusal:
        raise refused(refusal) from None


async def presence(call: Call, known: Mapping[str, Known], wanted: Mapping[str, Wanted]) -> dict[str, Present]:
    """Who is on the list. Addresses stay closed but for those that are asked for: any other one differs from them."""
    emails = list({member.email for member in wanted.values()})
    numbers = {loaded.number: email for email, loaded in zip(emails, await people(call, emails), strict=True)}
    return {
        key: Present(email=numbers.get(each.contact_id, ""), metadata=each.metadata, removed=each.removed)
        for key, each in known.items()
    }


async def people(call: Call, emails: Sequence[str]) -> list[Loaded]:
    """The contacts of normalized addresses, number 0 for an unknown one."""
    loaded: list[Loaded] = []
    for start in range(0, len(emails), CHUNK):
        chunk = emails[start : start + CHUNK]
        loaded += await asyncio.to_thread(call.wiring.store.load, contact.decider, keys=chunk)
    return loaded


async def change(call: Call, list_id: int, changes: Changes) -> int:
    """Take off, register and put on. Gives the log position that has all of it."""
    plan, wanted, known = changes.plan, changes.wanted, changes.known
    keys = [*plan.added, *plan.restored, *plan.revised]
    contacts, position = await register(call, [wanted[key].email for key in keys])
    others = [key for key in plan.revised if known[key].contact_id != contacts[wanted[key].email]]
    removals = [removal(call, list_id, key, known[key].contact_id) for key in (*plan.removed, *others)]
    placings = []
    for key in keys:
        member = wanted[key]
        placings.append(placing(call, list_id, key, contacts[member.email], member.metadata))
    for orders in (removals, placings):
        position = max([position, *(made.position for made in await all_done(call, orders))])
    return position


async def register(call: Call, emails: Iterable[str]) -> tuple[dict[str, int], int]:
    """Have the addresses known to the organization; gives their contacts and the log position that has them."""
    named = list(dict.fromkeys(emails))
    organization_id, context = call.caller.organization_id, context_of(call)
    made = await all_done(
        call,
        [
            Order(
                decider=contact.decider,
                command=contact.RegisterContact(at=call.now, organization_id=organization_id, email=email),
                context=context,
                key=email,
            )
            for email in named
        ],
    )
    contacts = {email: each.number for email, each in zip(named, made, strict=True)}
    return contacts, max((each.position for each in made), default=0)


async def all_done(call: Call, orders: Sequence[Order]) -> list[Accepted]:
    """Carry orders out, in chunks. Raises Invalid, and what keeps the store from one: earlier ones then stand."""
    made: list[Accepted] = []
    for start in range(0, len(orders), CHUNK):
        for outcome in await asyncio.to_thread(call.wiring.store.handle, *orders[start : start + CHUNK]):
            if isinstance(outcome, Refused):
                raise refused(outcome.error)
            if not isinstance(outcome, Accepted):
                raise outcome.error if isinstance(outcome, Failed) else TypeError(outcome)
            made.append(outcome)
    return made
