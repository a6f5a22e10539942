"""Commands about organizations, audiences, clients and keys."""

from __future__ import annotations

import base64
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg

from api.cli_output import CommandError, say, table
from api.directory import Client, Directory, Named, loaded
from api.key_usage import READ
from api.tenancy import Deed, key_pepper
from config.settings import Settings
from domain import api_key
from domain.store.log import Store
from domain.store.order import Context, Failed, Order, Refused


def opened(settings: Settings) -> Store:
    """The store of the settings' database. Raises psycopg's OperationalError."""
    return Store(settings.database_url, base64.b64encode(settings.master_key).decode())


@contextmanager
def tenants(settings: Settings) -> Iterator[tuple[Store, Directory]]:
    """The store, and all tenants in it."""
    store = opened(settings)
    try:
        yield store, loaded(store)
    finally:
        store.close()


def deed() -> Deed:
    """What somebody does now at a terminal."""
    return Deed(Context(source="cli"), datetime.now(UTC))


def handle(store: Store, order: Order) -> None:
    """Carry an order out. Raises CommandError when a rule refuses it, and what kept it from being carried out."""
    (outcome,) = store.handle(order)
    if isinstance(outcome, Refused):
        raise CommandError(", ".join(f"{field}: {code}" for field, code in outcome.error.fields.items()))
    if isinstance(outcome, Failed):
        raise outcome.error


def organization_named(directory: Directory, slug: str) -> Named:
    """The organization of a slug. Raises CommandError."""
    if slug not in directory.organizations:
        raise CommandError("organization: not_found")
    return directory.organizations[slug]


def client_named(directory: Directory, slug: str, organization: str) -> Client:
    """The client of a slug, in an organization when several have one. Raises CommandError."""
    found = [app for app in directory.clients.values() if app.slug == slug and organization in ("", app.organization)]
    if len(found) != 1:
        raise CommandError("client: not_found" if not found else "organization: required, several have this client")
    return found[0]


def create_organization(settings: Settings, given: Namespace) -> None:
    """Make an organization."""
    with tenants(settings) as (store, _):
        handle(store, deed().create_organization(given.slug, given.name))


def list_organizations(settings: Settings, _given: Namespace) -> None:
    """Show all organizations."""
    with tenants(settings) as (_, directory):
        table(("slug", "name"), sorted((entry.slug, entry.name) for entry in directory.organizations.values()))


def create_audience(settings: Settings, given: Namespace) -> None:
    """Make an audience."""
    with tenants(settings) as (store, directory):
        owner = organization_named(directory, given.organization)
        handle(store, deed().create_audience(owner, given.slug, given.name))


def list_audiences(settings: Settings, given: Namespace) -> None:
    """Show audiences."""
    with tenants(settings) as (_, directory):
        rows = [(entry.organization, entry.slug, entry.name) for entry in directory.audiences.values()]
        table(("organization", "slug", "name"), sorted(row for row in rows if given.organization in ("", row[0])))


def create_client(settings: Settings, given: Namespace) -> None:
    """Make a client."""
    with tenants(settings) as (store, directory):
        owner = organization_named(directory, given.organization)
        handle(store, deed().create_client(owner, given.slug, given.name))


def list_clients(settings: Settings, given: Namespace) -> None:
    """Show clients."""
    with tenants(settings) as (_, directory):
        rows = [
            (app.organization, app.slug, app.name, "yes" if app.active else "no") for app in directory.clients.values()
        ]
        heads = ("organization", "slug", "name", "active")
        table(heads, sorted(row for row in rows if given.organization in ("", row[0])))


def activate_client(settings: Settings, given: Namespace) -> None:
    """Let a client make calls again."""
    switch_client(settings, given, active=True)


def deactivate_client(settings: Settings, given: Namespace) -> None:
    """Stop a client from making calls."""
    switch_client(settings, given, active=False)


def switch_client(settings: Settings, given: Namespace, *, active: bool) -> None:
    """Switch a client on or off."""
    with tenants(settings) as (store, directory):
        app = client_named(directory, given.slug, given.organization)
        handle(store, deed().switch_client(app, active=active))


def create_key(settings: Settings, given: Namespace) -> None:
    """Make a key and show it, this once."""
    with tenants(settings) as (store, directory):
        app, key = client_named(directory, given.client, given.organization), api_key.generate()
        handle(store, deed().issue_key(app, key, key_pepper(store), name=given.name, notes=given.notes))
    say(str(key))


def list_keys(settings: Settings, given: Namespace) -> None:
    """Show the keys of a client, without their secrets."""
    with tenants(settings) as (_, directory):
        app = client_named(directory, given.client, given.organization)
    with psycopg.connect(settings.database_url) as connection:
        used: dict[str, datetime] = dict(connection.execute(READ, (list(app.keys),)).fetchall())
    rows = [
        (f"dm_{public_id}", key.name, time(key.issued_at), time(used.get(public_id)), time(key.revoked_at))
        for public_id, key in sorted(app.keys.items(), key=lambda item: item[1].issued_at)
    ]
    table(("key", "name", "made", "last used", "revoked"), rows)


def revoke_key(settings: Settings, given: Namespace) -> None:
    """Make a key open nothing any more."""
    with tenants(settings) as (store, directory):
        app = client_named(directory, given.client, given.organization)
        handle(store, deed().revoke_key(app, given.public_id.removeprefix("dm_")))


def time(when: datetime | None) -> str:
    """A time as a terminal shows it."""
    return "" if when is None else when.strftime("%Y-%m-%d %H:%M:%S")
