"""The template: what a client's transactional mail says, to be rendered with each request's context.

Its natural key is ``<client number>/<key>``. A revision is the whole content anew; the version counts them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Final

import msgspec

from domain.decider import Decider, Event, Rejected, event
from domain.mailbox import has_control
from domain.rendering import problem

KEY_LIMIT: Final = 120
NAME_LIMIT: Final = 255
SUBJECT_LIMIT: Final = 255
REQUIRED_LIMIT: Final = 100
_KEY: Final = re.compile(r"[-a-zA-Z0-9_.]+")


class RequiredValue(msgspec.Struct, frozen=True):
    """A value that the context of a request must have; dots lead into objects: ``course.title``."""

    name: str
    description: str = ""


class TemplateContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client says of a template.

    ``retry_unconfirmed``: a message whose fate SES left open is sent again, perhaps arriving twice, rather than never.
    """

    name: str
    subject: str
    description: str = ""
    html_body: str = ""
    text_body: str = ""
    required_context: tuple[RequiredValue, ...] = ()
    example_context: dict[str, Any] = {}
    default_sender_id: str = ""
    is_active: bool = True
    retry_unconfirmed: bool = False


@event("template.created")
class TemplateCreated(Event, frozen=True):
    """The client got a template."""

    organization_id: int
    client_id: int
    key: str
    content: TemplateContent


@event("template.revised")
class TemplateRevised(Event, frozen=True):
    """The template says this from now on; messages requested before are not touched."""

    content: TemplateContent


class SaveTemplate(msgspec.Struct, frozen=True, kw_only=True):
    """Create the template, or revise it; quiet when it says the same already.

    Raises Rejected: ``invalid`` or ``too_long`` on ``key``, and what :func:`check_content` refuses.
    """

    at: datetime
    organization_id: int
    client_id: int
    key: str
    content: TemplateContent


Command = SaveTemplate


class Template(msgspec.Struct, frozen=True):
    """A template, or without ``content`` none yet. ``version`` counts the contents from 1."""

    organization_id: int = 0
    client_id: int = 0
    key: str = ""
    content: TemplateContent | None = None
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


def check_content(content: TemplateContent) -> None:
    """Refuse a content that could not be rendered, trying it on its example context.

    Raises Rejected with every wrong field: ``required``, ``invalid``, ``too_long``, ``unsupported``, ``too_large`` on
    ``name``, ``subject``, ``html_body``, ``text_body``, ``required_context.<n>.name``; ``required`` on ``body`` when
    there is none.
    """
    wrong = dict(_wrong_texts(content.subject, content.html_body, content.text_body, _key_of(content.example_context)))
    if not content.name.strip():
        wrong["name"] = "required"
    elif len(content.name) > NAME_LIMIT:
        wrong["name"] = "too_long"
    if len(content.required_context) > REQUIRED_LIMIT:
        wrong["required_context"] = "too_many"
    for n, required in enumerate(content.required_context):
        if not all(required.name.split(".")) or has_control(required.name):
            wrong[f"required_context.{n}.name"] = "invalid" if required.name else "required"
    if wrong:
        raise Rejected.of(wrong)


def _key_of(example: Mapping[str, Any]) -> bytes:
    return msgspec.json.encode(example)


@lru_cache(maxsize=256)
def _wrong_texts(subject: str, html_body: str, text_body: str, example: bytes) -> tuple[tuple[str, str], ...]:
    """Try the texts once for the caller who answers and once more for the decision, at the cost of one."""
    context = msgspec.json.decode(example)
    wrong = {
        "subject": subject_problem(subject) or problem(subject, context),
        "html_body": problem(html_body, context, html=True),
        "text_body": problem(text_body, context),
    }
    if not html_body.strip() and not text_body.strip():
        wrong["body"] = "required"
    return tuple((field, code) for field, code in wrong.items() if code)


def subject_problem(subject: str) -> str:
    """Give the code of what is wrong with the line of a subject; empty when nothing is."""
    if not subject.strip():
        return "required"
    if has_control(subject):
        return "invalid"
    return "too_long" if len(subject) > SUBJECT_LIMIT else ""


def missing_values(content: TemplateContent, context: Mapping[str, Any]) -> dict[str, str]:
    """Give ``{"context.<name>": "required"}`` for every required value that the context lacks or has as null."""
    names = (required.name for required in content.required_context)
    return {f"context.{name}": "required" for name in names if _found(context, name) is None}


def _found(context: Any, name: str) -> Any:
    for part in name.split("."):
        if not isinstance(context, Mapping):
            return None
        context = context.get(part)
    return context


def decide(state: Template, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if not _KEY.fullmatch(command.key):
        raise Rejected("invalid", "key")
    if len(command.key) > KEY_LIMIT:
        raise Rejected("too_long", "key")
    check_content(command.content)
    if state.content is None:
        created = TemplateCreated(
            at=command.at,
            organization_id=command.organization_id,
            client_id=command.client_id,
            key=command.key,
            content=command.content,
        )
        return (created,)
    return () if state.content == command.content else (TemplateRevised(at=command.at, content=command.content),)


def evolve(state: Template, event: Event) -> Template:
    """Take a fact into account. Never raises."""
    match event:
        case TemplateCreated(at=at, content=content):
            return Template(event.organization_id, event.client_id, event.key, content, 1, at, at)
        case TemplateRevised(at=at, content=content):
            return msgspec.structs.replace(state, content=content, version=state.version + 1, updated_at=at)
    return state


def natural_key(client_id: int, key: str) -> str:
    """Name the template for the store."""
    return f"{client_id}/{key}"


decider: Final = Decider(kind=5, name="template", initial=Template(), decide=decide, evolve=evolve)
