"""Templates of transactional mail: saving one tries it out, so that it cannot fail for itself when mail is sent."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.errors import Invalid, not_found
from api.fields import said
from api.refusals import noted
from api.scalars import Errors
from api.senders import Trimmed
from domain import client, template
from domain.sender import choose
from domain.store.order import Accepted
from domain.template import REQUIRED_LIMIT, RequiredValue, Template, TemplateContent

DESCRIPTION_LIMIT = 10_000


class Required(msgspec.Struct, kw_only=True):
    """A value that every context must have; dots lead into objects."""

    name: Trimmed
    description: Annotated[str, Meta(max_length=DESCRIPTION_LIMIT)] = ""


class SaveTemplate(msgspec.Struct, kw_only=True):
    """The whole template; what is not said is empty. Jinja2, the HTML escapes what the context brings in.

    ``retry_unconfirmed``: a message whose fate SES left open is sent again, perhaps arriving twice, rather than never.
    """

    name: Trimmed
    subject: str
    description: Annotated[str, Meta(max_length=DESCRIPTION_LIMIT)] = ""
    html_body: str = ""
    text_body: str = ""
    required_context: Annotated[list[Required | str], Meta(max_length=REQUIRED_LIMIT)] | UnsetType = UNSET
    example_context: dict[str, Any] | UnsetType = UNSET
    default_sender_id: Trimmed = ""
    is_active: bool = True
    retry_unconfirmed: bool = False

    async def check(self, call: Call) -> TemplateContent:
        """What was said, in the domain's words. Raises Invalid with every wrong field."""
        content = content_of(self)
        await check(call, content)
        return content


class TemplatePayload(msgspec.Struct, frozen=True, kw_only=True):
    """A template; ``version`` counts its contents."""

    key: str
    name: str
    subject: str
    description: str
    html_body: str
    text_body: str
    required_context: tuple[RequiredValue, ...]
    example_context: dict[str, Any]
    default_sender_id: str
    is_active: bool
    retry_unconfirmed: bool
    version: int
    created_at: datetime | None
    updated_at: datetime | None


class SavedTemplate(msgspec.Struct, frozen=True):
    """The template as it is now, and whether this request made it."""

    template: TemplatePayload
    created: bool


def payload(state: Template, content: TemplateContent) -> TemplatePayload:
    """A template that exists."""
    return TemplatePayload(
        key=state.key,
        **msgspec.structs.asdict(content),
        version=state.version,
        created_at=state.created_at,
        updated_at=state.updated_at,
    )


async def read(call: Call) -> Answer:
    """A template of the client."""
    key = template.natural_key(call.caller.number, call.given_names["key"])
    loaded = await load(call, template.decider, key=key)
    if loaded.state.content is None:
        raise not_found("key")
    return json_answer(payload(loaded.state, loaded.state.content), position=loaded.position)


async def save(call: Call, given: SaveTemplate) -> Answer:
    """Create a template or revise it; messages requested before are not touched."""
    content = await given.check(call)
    key = call.given_names["key"]
    command = template.SaveTemplate(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        key=key,
        content=content,
    )

    def render(done: Accepted) -> Answer:
        created = any(isinstance(event, template.TemplateCreated) for event in done.events)
        saved = SavedTemplate(payload(done.state, done.state.content), created)
        return json_answer(saved, position=done.position)

    return await submit(call, template.decider, command, render, key=template.natural_key(call.caller.number, key))


def content_of(given: SaveTemplate) -> TemplateContent:
    """What was said, in the domain's words."""
    required = tuple(
        RequiredValue(each.strip()) if isinstance(each, str) else RequiredValue(each.name, each.description)
        for each in said(given.required_context) or ()
    )
    return TemplateContent(
        name=given.name,
        subject=given.subject,
        description=given.description,
        html_body=given.html_body,
        text_body=given.text_body,
        required_context=required,
        example_context=said(given.example_context) or {},
        default_sender_id=given.default_sender_id,
        is_active=given.is_active,
        retry_unconfirmed=given.retry_unconfirmed,
    )


async def check(call: Call, content: TemplateContent) -> None:
    """Try the template out, in a thread: it may take a while. Raises Invalid with all that is wrong with it."""
    errors: Errors = {}
    with noted(errors):
        await asyncio.to_thread(template.check_content, content)
    if content.default_sender_id:
        owner = await load(call, client.decider, number=call.caller.number)
        with noted(errors):
            choose(owner.state.senders, content.default_sender_id, field="default_sender_id")
    if errors:
        raise Invalid(errors)
