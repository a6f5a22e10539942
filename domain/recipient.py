"""The recipient: a contact's place on a recipient list, under the key by which the client's own system knows it.

Its natural key is ``<list number>/<source object key>``. What the client tells of the person is sealed under the
contact's key for the organization, so it dies with an erasure.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from domain.decider import Decider, Event, Rejected, event
from domain.mailbox import has_control
from domain.personal import Personal

KEY_LIMIT: Final = 255
METADATA_LIMIT: Final = 65_536


@event("recipient.added")
class RecipientAdded(Event, frozen=True):
    """The contact is on the list, for the first time or again. ``metadata`` is JSON."""

    list_id: int
    contact_id: int
    source_object_key: Personal
    metadata: Personal


@event("recipient.revised")
class RecipientRevised(Event, frozen=True):
    """Another contact stands there, or other metadata."""

    contact_id: int
    source_object_key: Personal
    metadata: Personal


@event("recipient.removed")
class RecipientRemoved(Event, frozen=True):
    """The contact is not on the list any more."""


class PutRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """Have the contact on the list. Without ``metadata``, what is there stays.

    Raises Rejected: ``required``, ``invalid`` or ``too_long`` on ``source_object_key``; ``too_large`` on ``metadata``.
    """

    at: datetime
    list_id: int
    contact_id: int
    source_object_key: str
    metadata: Mapping[str, Any] | None = None


class RemoveRecipient(msgspec.Struct, frozen=True, kw_only=True):
    """Take it off the list; quiet when it was before. Raises Rejected ``not_found`` on ``source_object_key``."""

    at: datetime


Command = PutRecipient | RemoveRecipient


class Recipient(msgspec.Struct, frozen=True):
    """A place on a list, or with list 0 none yet. ``removed_at`` is None while the contact is on it."""

    list_id: int = 0
    contact_id: int = 0
    source_object_key: Personal | None = None
    metadata: Personal | None = None
    added_at: datetime | None = None
    updated_at: datetime | None = None
    removed_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Tell whether the contact is on the list."""
        return self.list_id != 0 and self.removed_at is None


def metadata_text(metadata: Mapping[str, Any]) -> str:
    """Give metadata as JSON, the same for the same values in any order."""
    return msgspec.json.encode(metadata, order="deterministic").decode()


def key_problem(key: str) -> str:
    """Give the code of what is wrong with a source object key; empty when nothing is."""
    if not key.strip():
        return "required"
    if has_control(key):
        return "invalid"
    return "too_long" if len(key) > KEY_LIMIT else ""


def decide(state: Recipient, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if isinstance(command, PutRecipient):
        return _put(state, command)
    if not state.list_id:
        raise Rejected("not_found", "source_object_key")
    return (RecipientRemoved(at=command.at),) if state.active else ()


def _put(state: Recipient, command: PutRecipient) -> tuple[Event, ...]:
    if code := key_problem(command.source_object_key):
        raise Rejected(code, "source_object_key")
    known = "{}" if state.metadata is None or state.metadata.redacted else state.metadata.text
    text = known if command.metadata is None else metadata_text(command.metadata)
    if len(text) > METADATA_LIMIT:
        raise Rejected("too_large", "metadata")
    key, metadata = Personal(command.source_object_key), Personal(text)
    if not state.active:
        added = RecipientAdded(
            at=command.at,
            list_id=command.list_id,
            contact_id=command.contact_id,
            source_object_key=key,
            metadata=metadata,
        )
        return (added,)
    if (state.contact_id, state.metadata) == (command.contact_id, metadata):
        return ()
    revised = RecipientRevised(at=command.at, contact_id=command.contact_id, source_object_key=key, metadata=metadata)
    return (revised,)


def evolve(state: Recipient, event: Event) -> Recipient:
    """Take a fact into account. Never raises."""
    match event:
        case RecipientAdded(at=at):
            first = state.added_at or at
            return Recipient(event.list_id, event.contact_id, event.source_object_key, event.metadata, first, at)
        case RecipientRevised(at=at, contact_id=contact_id, source_object_key=key, metadata=metadata):
            return replace(state, contact_id=contact_id, source_object_key=key, metadata=metadata, updated_at=at)
        case RecipientRemoved(at=at):
            return replace(state, updated_at=at, removed_at=at)
    return state


def key_of(list_id: int, source_object_key: str) -> str:
    """Name the recipient for the store."""
    return f"{list_id}/{source_object_key}"


decider: Final = Decider(kind=11, name="recipient", initial=Recipient(), decide=decide, evolve=evolve)
