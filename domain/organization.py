"""The organization: the top-level owner of audiences and clients (seeds, Organizations)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from domain.decider import Decider, Event, Rejected, event
from domain.naming import check_names, check_present


@event("organization.created")
class OrganizationCreated(Event, frozen=True):
    """The organization came to be. Its slug identifies it for good."""

    slug: str
    name: str


@event("organization.renamed")
class OrganizationRenamed(Event, frozen=True):
    """The organization is displayed under another name."""

    name: str


class CreateOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``duplicate`` on ``slug`` when it exists; what ``check_names`` refuses."""

    at: datetime
    slug: str
    name: str


class RenameOrganization(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``not_found`` on ``slug``; ``required`` or ``too_long`` on ``name``."""

    at: datetime
    name: str


class Organization(msgspec.Struct, frozen=True):
    """An owner, or with an empty slug none yet."""

    slug: str = ""
    name: str = ""


def decide(state: Organization, command: CreateOrganization | RenameOrganization) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    match command:
        case CreateOrganization(at=at, slug=slug, name=name):
            check_names(taken=bool(state.slug), slug=slug, name=name)
            return (OrganizationCreated(at=at, slug=slug, name=name),)
        case RenameOrganization(at=at, name=name):
            if not state.slug:
                raise Rejected("not_found", "slug")
            check_present(name)
            return () if name == state.name else (OrganizationRenamed(at=at, name=name),)


def evolve(state: Organization, event: Event) -> Organization:
    """Take a fact into account. Never raises."""
    match event:
        case OrganizationCreated(slug=slug, name=name):
            return Organization(slug, name)
        case OrganizationRenamed(name=name):
            return Organization(state.slug, name)
    return state


decider: Final = Decider(kind=1, name="organization", initial=Organization(), decide=decide, evolve=evolve)
