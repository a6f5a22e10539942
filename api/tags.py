"""Tags of a contact in an audience: replace all, add one, remove one."""

from __future__ import annotations

from api.answer import Answer
from api.call import Call
from api.commands import submit
from api.contacts import shown
from api.errors import Invalid
from api.fields import Scoped, TagNames
from domain import contact as c


class ReplaceTags(Scoped, kw_only=True):
    """The names of all the tags that the contact shall have in the audience; [] clears them."""

    tags: TagNames


class TagScope(Scoped, kw_only=True):
    """The audience whose tag it is, and the caller."""


async def replace(call: Call, given: ReplaceTags) -> Answer:
    """Replace the full set of tags; those the audience does not know are created."""
    number = call.number("contact_id")
    command = c.ReplaceTags(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        tags=tuple(given.tags),
    )
    return await submit(call, c.decider, command, shown(call), number=number)


async def add(call: Call, _: TagScope) -> Answer:
    """Add one tag, creating it in the audience on first use."""
    return await change(call, c.TagContact)


async def remove(call: Call, _: TagScope) -> Answer:
    """Remove one tag; quiet when the contact does not have it."""
    return await change(call, c.UntagContact)


async def change(call: Call, command: type[c.TagContact | c.UntagContact]) -> Answer:
    """Carry out a command that is about the tag in the path."""
    tag = call.given_names.get("tag_slug", "")
    if not tag.strip():
        raise Invalid({"tag": "required"})
    order = command(
        at=call.now,
        organization_id=call.caller.organization_id,
        audience_id=call.audience.number,
        client_id=call.caller.number,
        tag=tag,
    )
    return await submit(call, c.decider, order, shown(call), number=call.number("contact_id"))
