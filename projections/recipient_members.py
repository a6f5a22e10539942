"""Who is on recipient lists, asked of their read model: pages of a tree of lists, and the places on one list."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, LiteralString

import msgspec
import psycopg
from psycopg.rows import tuple_row

from domain.recipient_list import ALL
from projections.projection import Connection

WITHIN: LiteralString = """
r.list_id IN (
    SELECT l.list_id FROM recipient_lists l WHERE l.client_id = %(client_id)s
    AND (%(key)s IN (l.key, %(all)s) OR starts_with(l.key, %(key)s || ':')))
"""
PAGE: LiteralString = f"""
SELECT DISTINCT ON (r.recipient_id)
    r.recipient_id, r.contact_id, i.key, r.source_object_key, r.metadata, r.added_at, r.updated_at, r.removed_at
FROM recipients r JOIN recipient_lists i USING (list_id)
WHERE {WITHIN} AND r.source_object_key <> '' AND (%(removed)s OR r.removed_at IS NULL)
    AND r.recipient_id > %(after)s
ORDER BY r.recipient_id, r.removed_at IS NOT NULL, r.updated_at DESC LIMIT %(limit)s
"""
OWN: LiteralString = """
SELECT DISTINCT ON (recipient_id) source_object_key, contact_id, metadata, removed_at IS NOT NULL FROM recipients
WHERE list_id = %s AND source_object_key <> '' ORDER BY recipient_id, removed_at IS NOT NULL, updated_at DESC
"""
UNTIL: LiteralString = f"""
SELECT r.recipient_id, r.contact_id, i.key, r.source_object_key, r.metadata, r.added_at, r.updated_at, r.removed_at
FROM recipients r JOIN recipient_lists i USING (list_id)
WHERE {WITHIN} AND r.source_object_key <> '' AND r.removed_at IS NULL
    AND r.recipient_id > %(after)s AND r.recipient_id <= %(through)s
    AND NOT EXISTS (SELECT FROM recipients o WHERE o.client_id = r.client_id
        AND o.source_object_key = r.source_object_key AND o.recipient_id < r.recipient_id AND o.removed_at IS NULL
        AND o.list_id IN (SELECT l.list_id FROM recipient_lists l WHERE l.client_id = %(client_id)s
            AND (%(key)s IN (l.key, %(all)s) OR starts_with(l.key, %(key)s || ':'))))
ORDER BY r.recipient_id LIMIT %(limit)s
"""
EXTENT: LiteralString = f"""
SELECT count(DISTINCT r.source_object_key), coalesce(max(r.recipient_id), 0) FROM recipients r
WHERE {WITHIN} AND r.source_object_key <> '' AND r.removed_at IS NULL
"""
PLACES: LiteralString = """
SELECT recipient_id, contact_id, source_object_key FROM recipients
WHERE list_id = %s AND removed_at IS NULL AND recipient_id > %s AND updated_at <= coalesce(%s, now())
ORDER BY recipient_id LIMIT %s
"""


class Member(msgspec.Struct, frozen=True):
    """A place on the list with the key, or that was there; ``metadata`` is JSON."""

    recipient_id: int
    contact_id: int
    list_key: str
    source_object_key: str
    metadata: str
    added_at: datetime
    updated_at: datetime
    removed_at: datetime | None


class Known(msgspec.Struct, frozen=True):
    """What a list's own place holds; ``metadata`` is JSON."""

    contact_id: int
    metadata: str
    removed: bool


class Place(msgspec.Struct, frozen=True):
    """Who stands on a list of its own right."""

    recipient_id: int
    contact_id: int
    source_object_key: str


async def members(
    connection: psycopg.AsyncConnection[Any],
    client_id: int,
    key: str,
    *,
    limit: int,
    after: int = 0,
    include_removed: bool = False,
) -> list[Member]:
    """At most ``limit`` members of the list and of those within it, behind the place with that number."""
    asked = {"client_id": client_id, "key": key, "all": ALL, "removed": include_removed, "after": after}
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(PAGE, asked | {"limit": limit}, prepare=True)
    return [Member(*row) for row in await cursor.fetchall()]


def members_until(
    connection: Connection, client_id: int, key: str, *, through: int, after: int, limit: int
) -> list[Member]:
    """At most ``limit`` of the list's members and of those within it, from behind one place up to another.

    Of several with one key only the first is given.
    """
    asked = {"client_id": client_id, "key": key, "all": ALL, "through": through, "after": after, "limit": limit}
    return [Member(*row) for row in connection.execute(UNTIL, asked, prepare=True)]


async def extent(connection: psycopg.AsyncConnection[Any], client_id: int, key: str) -> tuple[int, int]:
    """How many are on the list and on those within it, by their keys, and the number of the last place."""
    cursor = await connection.execute(EXTENT, {"client_id": client_id, "key": key, "all": ALL}, prepare=True)
    [(total, through)] = await cursor.fetchall()
    return total, through


async def own_members(connection: psycopg.AsyncConnection[Any], list_id: int) -> Mapping[str, Known]:
    """The list's own places by source object key, those whose recipient was removed too."""
    cursor = connection.cursor(binary=True, row_factory=tuple_row)
    await cursor.execute(OWN, (list_id,), prepare=True)
    return {row[0]: Known(*row[1:]) for row in await cursor.fetchall()}


def places(
    connection: Connection, list_id: int, *, after: int, limit: int, until: datetime | None = None
) -> list[Place]:
    """At most ``limit`` places on the list itself, behind the one with that number, that did not change since."""
    return [Place(*row) for row in connection.execute(PLACES, (list_id, after, until, limit), prepare=True)]
