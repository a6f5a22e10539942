"""Erasing what the client's organization holds on a person."""

from __future__ import annotations

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import submit
from api.fields import Email, Scoped
from domain import contact as c
from domain.email_address import normalize
from domain.store.order import Accepted


class EraseContact(Scoped, kw_only=True):
    """Whose personal data shall be gone."""

    email: Email


class ErasedCounts(msgspec.Struct):
    """How much went with the organization's relation."""

    subscriptions: int = 0
    tags: int = 0
    categories: int = 0
    suppressions: int = 0


class Erased(msgspec.Struct):
    """The receipt. ``erased`` is false for an address that the organization has no relation with."""

    email: str
    erased: bool
    contact_id: int | None
    counts: ErasedCounts


async def erase(call: Call, given: EraseContact) -> Answer:
    """Make the personal data unrecoverable everywhere, and keep the anonymous facts that counters need."""
    email = normalize(given.email)
    command = c.EraseContact(at=call.now, organization_id=call.caller.organization_id)

    def render(done: Accepted) -> Answer:
        facts = [event for event in done.events if isinstance(event, c.ContactErased)]
        counts = [ErasedCounts(fact.subscriptions, fact.tags, fact.categories, fact.suppressions) for fact in facts]
        number = done.number if facts else None
        receipt = Erased(email, bool(facts), number, counts[0] if counts else ErasedCounts())
        return json_answer(receipt, position=done.position)

    return await submit(call, c.decider, command, render, key=email)
