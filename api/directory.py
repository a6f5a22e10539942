"""The organizations, audiences, clients and keys, kept in memory: who calls, and what a slug names, without a query."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime
from typing import Any

import msgspec
import psycopg
from eventsourcing.persistence import OperationalError

from api.errors import ApiError, unavailable
from api.listener import Bell, heard
from domain import audience, client, organization
from domain.client import ApiKey
from domain.decider import Decider, Event
from domain.store.log import Store
from domain.store.recorded import Recorded

NUMBER = (1 << 96) - 1
"""Masks the number within its kind out of a stream id."""

CHECK_SECONDS = 0.5
"""How stale the directory can be when a notification is lost."""

TENANCY: dict[int, Decider[Any]] = {
    decider.kind: decider for decider in (organization.decider, audience.decider, client.decider)
}

# The sum keeps the planner from walking the whole log backwards by position, in search of an early event.
HEAD = "SELECT coalesce(max(notification_id + 0), 0) FROM log WHERE originator_id < stream_id(4, 0)"


class Named(msgspec.Struct, frozen=True):
    """A thing by the number that events use and the slug that requests use."""

    number: int
    slug: str
    name: str
    created_at: datetime


class Audience(Named, frozen=True):
    """A mailing list of an organization; ``organization`` is that one's slug."""

    organization_id: int
    organization: str


class Client(Named, frozen=True):
    """An application; ``organization`` is its organization's slug."""

    organization_id: int
    organization: str
    active: bool
    keys: dict[str, ApiKey]


class Directory(msgspec.Struct, frozen=True):
    """All of it as of a log position. Slugs of audiences and clients are unique within their organization."""

    position: int = 0
    organizations: dict[str, Named] = {}
    audiences: dict[tuple[int, str], Audience] = {}
    clients: dict[tuple[int, str], Client] = {}
    keys: dict[str, tuple[Client, ApiKey]] = {}

    def audience(self, organization_id: int, slug: str) -> Audience | None:
        """The audience of that slug in the organization."""
        return self.audiences.get((organization_id, slug))


def folded(events: Iterable[tuple[Recorded, Event]]) -> Directory:
    """The directory that the events of the tenancy streams add up to."""
    states: dict[int, dict[int, tuple[Any, datetime]]] = {kind: {} for kind in TENANCY}
    position = 0
    for recorded, event in events:
        of_kind, number = states[recorded.kind], recorded.stream.int & NUMBER
        decider = TENANCY[recorded.kind]
        state, created_at = of_kind.get(number, (decider.initial, event.at))
        of_kind[number] = decider.evolve(state, event), created_at
        position = recorded.position
    owners = {number: Named(number, state.slug, state.name, at) for number, (state, at) in states[1].items()}
    lists = [audience_entry(number, state, at, owners) for number, (state, at) in states[2].items()]
    clients = [client_entry(number, state, at, owners) for number, (state, at) in states[3].items()]
    return Directory(
        position,
        {owner.slug: owner for owner in owners.values()},
        {(entry.organization_id, entry.slug): entry for entry in lists},
        {(entry.organization_id, entry.slug): entry for entry in clients},
        {public_id: (entry, key) for entry in clients for public_id, key in entry.keys.items()},
    )


def audience_entry(number: int, state: audience.Audience, created_at: datetime, owners: dict[int, Named]) -> Audience:
    """An audience with its organization's slug."""
    owner = owners[state.organization_id]
    return Audience(number, state.slug, state.name, created_at, owner.number, owner.slug)


def client_entry(number: int, state: client.Client, created_at: datetime, owners: dict[int, Named]) -> Client:
    """A client with its organization's slug."""
    owner = owners[state.organization_id]
    return Client(number, state.slug, state.name, created_at, owner.number, owner.slug, state.active, state.keys)


def loaded(store: Store) -> Directory:
    """Read the tenancy streams. Raises the library's OperationalError."""
    return folded(store.open(store.read_kinds(min(TENANCY), max(TENANCY))))


class LiveDirectory:
    """The directory as it is now, loaded anew whenever the log says that it changed."""

    def __init__(self, store: Store, changed: Bell) -> None:
        self.now = Directory()
        self._store = store
        self._changed = changed

    async def refresh(self) -> None:
        """Load now. Raises ApiError 503 when the store cannot be reached."""
        try:
            directory = await asyncio.to_thread(loaded, self._store)
        except OperationalError:
            raise unavailable() from None
        if directory.position >= self.now.position:
            self.now = directory

    async def follow(self) -> None:
        """Keep up until cancelled: woken by notifications, and looking by itself in case one was lost."""
        while True:
            with suppress(psycopg.OperationalError, ApiError):
                async with await psycopg.AsyncConnection.connect(self._store.conninfo, autocommit=True) as connection:
                    await self._follow(connection)
            await asyncio.sleep(CHECK_SECONDS)

    async def _follow(self, connection: psycopg.AsyncConnection[Any]) -> None:
        while True:
            changed = self._changed.next_ring()
            cursor = await connection.execute(HEAD)
            row = await cursor.fetchone()
            if row is not None and row[0] != self.now.position:
                await self.refresh()
            await heard(changed, CHECK_SECONDS)
