"""Erasing what the client's organization holds on a person."""

from __future__ import annotations

from datetime import datetime

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import context_of
from api.fields import Email, Scoped
from api.message_requests import done
from domain import contact as c
from domain.email_address import normalize
from domain.store.order import Accepted, Order


class EraseContact(Scoped, kw_only=True):
    """Whose personal data shall be gone."""

    email: Email


class ErasedCounts(msgspec.Struct):
    """How much went with the organization's relation."""

    subscriptions: int = 0
    tags: int = 0
    categories: int = 0
    suppressions: int = 0


class Receipt(msgspec.Struct):
    """Where the log says so, and when. ``contact_gone``: no organization was left, so the address went as well."""

    position: int
    at: datetime
    contact_gone: bool


class Erased(msgspec.Struct):
    """``erased`` is false, without a receipt, for an address that the organization has no relation with."""

    email: str
    erased: bool
    contact_id: int | None
    counts: ErasedCounts
    receipt: Receipt | None = None


async def erase(call: Call, given: EraseContact) -> Answer:
    """Make the personal data unrecoverable everywhere, and keep the anonymous facts that counters need.

    The answer is remembered after the event, not with it: it names the event's position, and outlives the person.
    """
    email = normalize(given.email)
    command = c.EraseContact(at=call.now, organization_id=call.caller.organization_id)
    erased = await done(call, Order(decider=c.decider, command=command, context=context_of(call), key=email))
    return json_answer(answer(email, erased), position=erased.position)


def answer(email: str, outcome: Accepted) -> Erased:
    """What went with the organization's relation, if there was one."""
    for fact in outcome.events:
        if isinstance(fact, c.ContactErased):
            counts = ErasedCounts(fact.subscriptions, fact.tags, fact.categories, fact.suppressions)
            return Erased(email, erased=True, contact_id=outcome.number, counts=counts, receipt=receipt(fact, outcome))
    return Erased(email, erased=False, contact_id=None, counts=ErasedCounts())


def receipt(fact: c.ContactErased, outcome: Accepted) -> Receipt:
    """What proves the erasure without a word about the person."""
    return Receipt(outcome.position, fact.at, contact_gone=fact.last)
