"""What operators ask, and how a request names an organization or a client."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer
from api.call import Call
from api.commands import Render, carry_out, context_of
from api.directory import Client, Named
from api.errors import ApiError, Invalid, not_found
from api.fields import Slug
from api.tenancy import Deed
from domain.naming import LIMIT
from domain.store.order import Order

NOTES_LIMIT = 2000

NewSlug = Annotated[str, Meta(max_length=LIMIT, pattern=r"^[-a-zA-Z0-9_]+$(?!\n)", extra={"trim": True})]
NewName = Annotated[str, Meta(max_length=LIMIT, min_length=1, extra={"trim": True})]


class CreateOrganization(msgspec.Struct, kw_only=True):
    """A new organization. Its slug identifies it for good; without a name it is shown by its slug."""

    slug: NewSlug
    name: NewName | UnsetType = UNSET


class CreateWithin(CreateOrganization, kw_only=True):
    """A new audience or client of an organization; its slug is unique there."""

    organization: Slug


class OfOrganization(msgspec.Struct, kw_only=True):
    """Those of one organization, or of all."""

    organization: Slug | UnsetType = UNSET


class OfClient(OfOrganization, kw_only=True):
    """``organization`` is needed where several have a client of that slug."""


class CreateKey(OfOrganization, kw_only=True):
    """A new key. Its name is unique among the active ones of the client."""

    name: Annotated[str, Meta(max_length=LIMIT, extra={"trim": True})]
    notes: Annotated[str, Meta(max_length=NOTES_LIMIT)] | UnsetType = UNSET


def organization_named(call: Call, slug: str) -> Named:
    """The organization of a slug. Raises Invalid ``not_found``."""
    found = call.wiring.directory.now.organizations.get(slug.strip())
    if found is None:
        raise not_found("organization")
    return found


def client_named(call: Call, organization: str | UnsetType) -> Client:
    """The client that the path names. Raises Invalid: ``not_found``, or ``required`` to tell several apart."""
    slug = call.given_names["slug"]
    owner = None if organization is UNSET else organization_named(call, organization)
    clients = call.wiring.directory.now.clients.values()
    found = [app for app in clients if app.slug == slug and (owner is None or app.organization_id == owner.number)]
    if not found:
        raise not_found("slug")
    if len(found) > 1:
        raise Invalid({"organization": "required"})
    return found[0]


def deed(call: Call) -> Deed:
    """What an operator does now."""
    return Deed(context_of(call), call.now)


async def change(call: Call, order: Order, render: Render) -> Answer:
    """Carry an order out, and have this process know of it at once; the others hear of it within a second."""
    answer = await carry_out(call, order, render)
    with suppress(ApiError):
        await call.wiring.directory.refresh()
    return answer
