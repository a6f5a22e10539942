"""What operators see of tenants."""

from __future__ import annotations

from datetime import datetime

import msgspec

from api.directory import Audience, Client, Named
from domain.client import ApiKey


class OrganizationPayload(msgspec.Struct):
    """A top-level owner."""

    id: int
    slug: str
    name: str
    created_at: datetime


class AudiencePayload(msgspec.Struct):
    """A mailing list of an organization."""

    id: int
    organization: str
    slug: str
    name: str
    created_at: datetime


class ClientPayload(msgspec.Struct):
    """An application; one that is not active can make no calls."""

    id: int
    organization: str
    slug: str
    name: str
    is_active: bool
    created_at: datetime


class KeyPayload(msgspec.Struct, kw_only=True):
    """An API key, without its secret. ``revoked_at`` is null while it opens something."""

    public_id: str
    name: str
    notes: str
    created_at: datetime
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None


class NewKeyPayload(KeyPayload, kw_only=True):
    """A key just made. ``key`` is shown this once; a repeat of the request shows null in its place."""

    key: str | None


def organization(entry: Named) -> OrganizationPayload:
    """An organization of the directory."""
    return OrganizationPayload(entry.number, entry.slug, entry.name, entry.created_at)


def audience(entry: Audience) -> AudiencePayload:
    """An audience of the directory."""
    return AudiencePayload(entry.number, entry.organization, entry.slug, entry.name, entry.created_at)


def client(entry: Client) -> ClientPayload:
    """A client of the directory."""
    return ClientPayload(entry.number, entry.organization, entry.slug, entry.name, entry.active, entry.created_at)


def key(public_id: str, entry: ApiKey, last_used_at: datetime | None) -> KeyPayload:
    """A key of a client."""
    return KeyPayload(
        public_id=public_id,
        name=entry.name,
        notes=entry.notes,
        created_at=entry.issued_at,
        last_used_at=last_used_at,
        revoked_at=entry.revoked_at,
    )
