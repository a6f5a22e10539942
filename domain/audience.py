"""The audience: a brand-level mailing list of one organization, shared by its clients (seeds, Audiences)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from domain.decider import Decider, Event, Rejected, event
from domain.naming import check_names, check_present


@event("audience.created")
class AudienceCreated(Event, frozen=True):
    """The audience came to be. Its slug identifies it within the organization for good."""

    organization_id: int
    slug: str
    name: str


@event("audience.renamed")
class AudienceRenamed(Event, frozen=True):
    """The audience is displayed under another name."""

    name: str


class CreateAudience(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``duplicate`` on ``slug`` when it exists; what ``check_names`` refuses."""

    at: datetime
    organization_id: int
    slug: str
    name: str


class RenameAudience(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``not_found`` on ``slug``; ``required`` or ``too_long`` on ``name``."""

    at: datetime
    name: str


class Audience(msgspec.Struct, frozen=True):
    """A mailing list, or with an empty slug none yet."""

    organization_id: int = 0
    slug: str = ""
    name: str = ""


def decide(state: Audience, command: CreateAudience | RenameAudience) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    match command:
        case CreateAudience(at=at, organization_id=organization_id, slug=slug, name=name):
            check_names(taken=bool(state.slug), slug=slug, name=name)
            return (AudienceCreated(at=at, organization_id=organization_id, slug=slug, name=name),)
        case RenameAudience(at=at, name=name):
            if not state.slug:
                raise Rejected("not_found", "slug")
            check_present(name)
            return () if name == state.name else (AudienceRenamed(at=at, name=name),)


def evolve(state: Audience, event: Event) -> Audience:
    """Take a fact into account. Never raises."""
    match event:
        case AudienceCreated(organization_id=organization_id, slug=slug, name=name):
            return Audience(organization_id, slug, name)
        case AudienceRenamed(name=name):
            return Audience(state.organization_id, state.slug, name)
    return state


decider: Final = Decider(kind=2, name="audience", initial=Audience(), decide=decide, evolve=evolve)
