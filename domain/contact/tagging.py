"""Deciding on the tags of a contact in an audience; slugs identify them (contract, Tags)."""

from __future__ import annotations

from collections.abc import Iterable

from domain.contact.commands import ReplaceTags, ScopedCommand, TagContact, UntagContact
from domain.contact.events import ContactTagged, ContactUntagged
from domain.contact.registration import require_subscription
from domain.contact.state import Contact
from domain.contact.tag import tag_named, tags_named
from domain.decider import Event


def add_tags(state: Contact, command: ScopedCommand, names: Iterable[str], field: str = "tags") -> tuple[Event, ...]:
    """Add the tags that are not there. Raises Rejected on the field."""
    if not names:
        return ()
    there = state.tags.get(command.audience_id, frozenset())
    new = tuple(tag for slug, tag in tags_named(names, field).items() if slug not in there)
    return (ContactTagged(at=command.at, audience_id=command.audience_id, tags=new),) if new else ()


def _remove_tags(state: Contact, command: ScopedCommand, slugs: Iterable[str]) -> tuple[Event, ...]:
    gone = tuple(sorted(state.tags.get(command.audience_id, frozenset()).intersection(slugs)))
    return (ContactUntagged(at=command.at, audience_id=command.audience_id, slugs=gone),) if gone else ()


def replace_tags(state: Contact, command: ReplaceTags) -> tuple[Event, ...]:
    """Remove the tags that were not named, add those that were."""
    require_subscription(state, command)
    named = tags_named(command.tags)
    obsolete = state.tags.get(command.audience_id, frozenset()).difference(named)
    return (*_remove_tags(state, command, obsolete), *add_tags(state, command, command.tags))


def tag_contact(state: Contact, command: TagContact) -> tuple[Event, ...]:
    """Add one tag."""
    require_subscription(state, command)
    return add_tags(state, command, (command.tag,), field="tag")


def untag_contact(state: Contact, command: UntagContact) -> tuple[Event, ...]:
    """Remove one tag, if it is there."""
    require_subscription(state, command)
    return _remove_tags(state, command, (tag_named(command.tag).slug,))
