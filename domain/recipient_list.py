"""The recipient list: a client's named group of recipients, a node in a tree of lists that its key spells out.

``course:@e:@homework:1`` lies within ``course:@e:@homework``, that within ``course:@e`` and so on up to ``<all>``; a
member of a list is one of each list around it. Members are streams of their own (``domain.recipient``): they share no
rule, and a list of a million in one stream would be rewritten with each of them.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from domain.decider import Decider, Event, Rejected, event

ALL: Final = "<all>"
KEY_LIMIT: Final = 255
DEPTH_LIMIT: Final = 16
NAME_LIMIT: Final = 255
_SEGMENT: Final = re.compile(r"[^\s:/<>\x00-\x1f\x7f-\x9f]+")


class ListContent(msgspec.Struct, frozen=True, kw_only=True):
    """All that a client says of a list besides its key."""

    name: str = ""
    description: str = ""
    metadata: dict[str, Any] = {}


@event("recipient_list.opened")
class RecipientListOpened(Event, frozen=True):
    """The client has the list: it made it, or one within it."""

    organization_id: int
    client_id: int
    key: str
    content: ListContent = ListContent()


@event("recipient_list.described")
class RecipientListDescribed(Event, frozen=True):
    """The list is described so from now on."""

    content: ListContent


class OpenList(msgspec.Struct, frozen=True, kw_only=True):
    """Have the list, described or not. Raises Rejected on ``key`` what :func:`check_key` refuses."""

    at: datetime
    organization_id: int
    client_id: int
    key: str


class SaveList(msgspec.Struct, frozen=True, kw_only=True):
    """Have the list described so. Raises Rejected on ``key`` as ``OpenList``; ``too_long`` on ``name``."""

    at: datetime
    organization_id: int
    client_id: int
    key: str
    content: ListContent


Command = OpenList | SaveList


class RecipientList(msgspec.Struct, frozen=True):
    """A list, or with an empty key none yet."""

    organization_id: int = 0
    client_id: int = 0
    key: str = ""
    content: ListContent = ListContent()
    created_at: datetime | None = None
    updated_at: datetime | None = None


def check_key(key: str, field: str = "key") -> None:
    """Refuse what is no path: segments of any characters but spaces and ``:/<>``, joined by colons; or ``<all>``.

    Raises Rejected on the field: ``required``, ``invalid``, or ``too_long`` beyond 255 characters or 16 segments.
    """
    if not key:
        raise Rejected("required", field)
    segments = key.split(":")
    if len(key) > KEY_LIMIT or len(segments) > DEPTH_LIMIT:
        raise Rejected("too_long", field)
    if key != ALL and not all(map(_SEGMENT.fullmatch, segments)):
        raise Rejected("invalid", field)


def ancestors(key: str) -> tuple[str, ...]:
    """Give the lists around a list, nearest first."""
    if key == ALL:
        return ()
    segments = key.split(":")
    return (*(":".join(segments[:n]) for n in range(len(segments) - 1, 0, -1)), ALL)


def is_within(key: str, around: str) -> bool:
    """Tell whether the members of a list are members of the other one."""
    return around in {key, ALL} or key.startswith(f"{around}:")


def decide(state: RecipientList, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    check_key(command.key)
    content = command.content if isinstance(command, SaveList) else state.content
    if len(content.name) > NAME_LIMIT:
        raise Rejected("too_long", "name")
    if not state.key:
        opened = RecipientListOpened(
            at=command.at,
            organization_id=command.organization_id,
            client_id=command.client_id,
            key=command.key,
            content=content,
        )
        return (opened,)
    return () if content == state.content else (RecipientListDescribed(at=command.at, content=content),)


def evolve(state: RecipientList, event: Event) -> RecipientList:
    """Take a fact into account. Never raises."""
    match event:
        case RecipientListOpened(at=at, key=key, content=content):
            return RecipientList(event.organization_id, event.client_id, key, content, at, at)
        case RecipientListDescribed(at=at, content=content):
            return msgspec.structs.replace(state, content=content, updated_at=at)
    return state


def key_of(client_id: int, key: str) -> str:
    """Name the list for the store."""
    return f"{client_id}/{key}"


decider: Final = Decider(kind=9, name="recipient_list", initial=RecipientList(), decide=decide, evolve=evolve)
