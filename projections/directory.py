"""Who there is: organizations, their audiences and clients, and the clients' keys, for operators and analysts."""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import audience, client, organization
from domain.audience import AudienceCreated, AudienceRenamed
from domain.client import (
    ApiKeyIssued,
    ApiKeyRevoked,
    ClientActivated,
    ClientCreated,
    ClientDeactivated,
    ClientRenamed,
)
from domain.decider import Event
from domain.organization import OrganizationCreated, OrganizationRenamed
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows, Table

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS organizations (
    organization_id bigint PRIMARY KEY,
    slug text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS audiences (
    audience_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE TABLE IF NOT EXISTS clients (
    client_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    active boolean NOT NULL,
    created_at timestamptz NOT NULL
);
-- Neither keys nor their hashes are here: authentication reads the log.
CREATE TABLE IF NOT EXISTS api_keys (
    client_id bigint NOT NULL,
    public_id text NOT NULL,
    name text NOT NULL,
    notes text NOT NULL,
    issued_at timestamptz NOT NULL,
    revoked_at timestamptz,
    PRIMARY KEY (client_id, public_id)
);
"""
INDEXES: LiteralString = """
CREATE UNIQUE INDEX IF NOT EXISTS organizations_slug ON organizations (slug);
CREATE UNIQUE INDEX IF NOT EXISTS audiences_slug ON audiences (organization_id, slug);
CREATE UNIQUE INDEX IF NOT EXISTS clients_slug ON clients (organization_id, slug);
CREATE UNIQUE INDEX IF NOT EXISTS api_keys_public_id ON api_keys (public_id);
"""


class OrganizationRow(msgspec.Struct, frozen=True):
    """An organization."""

    organization_id: int
    slug: str
    name: str
    created_at: datetime


class AudienceRow(msgspec.Struct, frozen=True):
    """An audience of an organization."""

    audience_id: int
    organization_id: int
    slug: str
    name: str
    created_at: datetime


class ClientRow(msgspec.Struct, frozen=True):
    """A client of an organization; one that is not active can make no calls."""

    client_id: int
    organization_id: int
    slug: str
    name: str
    active: bool
    created_at: datetime


class ApiKeyRow(msgspec.Struct, frozen=True):
    """A key of a client; ``revoked_at`` is None while it opens something."""

    client_id: int
    public_id: str
    name: str
    notes: str
    issued_at: datetime
    revoked_at: datetime | None = None


def _number(recorded: Recorded) -> int:
    """The number of the organization, audience or client; rows of different kinds may share a group."""
    return recorded.stream.int & (1 << 96) - 1


def evolve(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """Rows by their type, keys by their public id."""
    number = _number(recorded)
    match event:
        case OrganizationCreated(at=at, slug=slug, name=name):
            return {**rows, OrganizationRow: OrganizationRow(number, slug, name, at)}
        case OrganizationRenamed(name=name):
            return {**rows, OrganizationRow: replace(rows[OrganizationRow], name=name)}
        case AudienceCreated(at=at, organization_id=organization_id, slug=slug, name=name):
            return {**rows, AudienceRow: AudienceRow(number, organization_id, slug, name, at)}
        case AudienceRenamed(name=name):
            return {**rows, AudienceRow: replace(rows[AudienceRow], name=name)}
    return _evolve_client(rows, number, event)


def _evolve_client(rows: Rows, number: int, event: Event) -> Rows:
    match event:
        case ClientCreated(at=at, organization_id=organization_id, slug=slug, name=name):
            created = ClientRow(number, organization_id, slug, name, active=True, created_at=at)
            return {**rows, ClientRow: created}
        case ClientRenamed(name=name):
            return {**rows, ClientRow: replace(rows[ClientRow], name=name)}
        case ClientActivated():
            return {**rows, ClientRow: replace(rows[ClientRow], active=True)}
        case ClientDeactivated():
            return {**rows, ClientRow: replace(rows[ClientRow], active=False)}
        case ApiKeyIssued(at=at, public_id=public_id, name=name, notes=notes):
            return {**rows, public_id: ApiKeyRow(number, public_id, name, notes, at)}
        case ApiKeyRevoked(at=at, public_id=public_id):
            return {**rows, public_id: replace(rows[public_id], revoked_at=at)}
    return rows


PROJECTION: Final = Projection(
    name="directory",
    version=1,
    events=(
        OrganizationCreated,
        OrganizationRenamed,
        AudienceCreated,
        AudienceRenamed,
        ClientCreated,
        ClientRenamed,
        ClientActivated,
        ClientDeactivated,
        ApiKeyIssued,
        ApiKeyRevoked,
    ),
    ddl=DDL,
    indexes=INDEXES,
    fold=RowFold(
        tables=(
            Table(
                name="organizations", row=OrganizationRow, key=("organization_id",), group="organization_id", place=type
            ),
            Table(name="audiences", row=AudienceRow, key=("audience_id",), group="audience_id", place=type),
            Table(name="clients", row=ClientRow, key=("client_id",), group="client_id", place=type),
            Table(
                name="api_keys",
                row=ApiKeyRow,
                key=("client_id", "public_id"),
                group="client_id",
                place=attrgetter("public_id"),
            ),
        ),
        group_of=_number,
        evolve=evolve,
        streams=(organization.decider.kind, audience.decider.kind, client.decider.kind),
        reads=("stream",),
    ),
)
