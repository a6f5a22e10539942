"""Which categories of mail a contact wants from a client."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.contacts import names
from api.errors import not_found
from api.fields import Email, Reason, Scoped, TagName, said
from domain import contact as c
from domain.contact import view
from domain.email_address import normalize
from domain.store.order import Accepted

MOST_CATEGORIES = 500


class ReadPreferences(Scoped, kw_only=True):
    """Whose choices; ``category_tags``, separated by commas, names the categories, all that were ever set otherwise."""

    email: Email
    category_tags: str | UnsetType = UNSET


class Category(msgspec.Struct, kw_only=True):
    """A choice. Without ``label`` the one there stays."""

    tag: TagName
    enabled: bool
    label: Reason | UnsetType = UNSET


class SetPreferences(Scoped, kw_only=True):
    """Choices, taken together or not at all."""

    email: Email
    categories: Annotated[list[Category], Meta(max_length=MOST_CATEGORIES)]
    reason: Reason | UnsetType = UNSET


async def read(call: Call, given: ReadPreferences) -> Answer:
    """The choices of a contact; a category never set is enabled."""
    email = normalize(given.email)
    scope = names(call)
    loaded = await load(call, c.decider, key=email)
    if not view.has_subscription(loaded.state, scope.audience_id, scope.client_id):
        raise not_found("email")
    tags = [tag for tag in (said(given.category_tags) or "").split(",") if tag.strip()]
    return json_answer(view.preferences(loaded.state, scope, email=email, tags=tags), position=loaded.position)


async def replace(call: Call, given: SetPreferences) -> Answer:
    """Enable or disable categories. A suppressed contact cannot enable one."""
    email = normalize(given.email)
    scope = names(call)
    command = c.SetPreferences(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=scope.audience_id,
        client_id=scope.client_id,
        categories=tuple(
            c.CategoryChoice(tag=category.tag, enabled=category.enabled, label=said(category.label))
            for category in given.categories
        ),
        reason=said(given.reason),
    )

    def render(done: Accepted) -> Answer:
        return json_answer(view.preferences(done.state, scope, email=email), position=done.position)

    return await submit(call, c.decider, command, render, key=email)
