"""Who was on a recipient list as of a position of the log: the read model, and the log for places changed since."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import psycopg

from domain import recipient
from domain.campaign import Campaign
from domain.recipient_list import ALL
from domain.store.log import Store

CHUNK: Final = 5_000

LISTS = """
SELECT list_id FROM recipient_lists WHERE client_id = %(client)s
AND (%(key)s IN (key, %(all)s) OR starts_with(key, %(key)s || ':'))
"""
# A place of which an erasure emptied the row stood there still as far as its own stream goes.
CHANGED = """
WITH touched AS MATERIALIZED (
    SELECT DISTINCT originator_id FROM log WHERE notification_id > %(position)s
    AND originator_id >= stream_id(11, 0) AND originator_id < stream_id(12, 0)
), erased AS MATERIALIZED (
    SELECT DISTINCT contact_id FROM log WHERE notification_id > %(position)s
    AND originator_id >= stream_id(4, 0) AND originator_id < stream_id(5, 0) AND topic LIKE 'contact.erased@%%'
)
SELECT DISTINCT recipient_id FROM recipients WHERE list_id = ANY(%(lists)s::bigint[]) AND (
    stream_id(11, recipient_id) IN (SELECT originator_id FROM touched)
    OR contact_id IN (SELECT contact_id FROM erased))
"""
MEMBERS = """
SELECT contact_id FROM recipients
WHERE list_id = ANY(%(lists)s::bigint[]) AND removed_at IS NULL AND recipient_id <> ALL(%(changed)s::bigint[])
UNION SELECT unnest(%(besides)s::bigint[])
"""
"""The contacts, each once; takes the parameters of :class:`ListMembers`."""


class ListMembers(msgspec.Struct, frozen=True):
    """The lists of a tree, the places on them that changed since, and the contacts that stood on these before."""

    lists: list[int]
    changed: list[int]
    besides: list[int]

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of :data:`MEMBERS`."""
        return msgspec.structs.asdict(self)


def list_members(
    store: Store, connection: psycopg.Connection[Any], campaign: Campaign, key: str, position: int
) -> ListMembers:
    """The members of the client's list and of those within it as of the position, which the read model must reflect.

    Raises Unavailable.
    """
    scope = {"client": campaign.client_id, "key": key, "all": ALL}
    lists = sorted(number for (number,) in connection.execute(LISTS, scope))
    changed = [number for (number,) in connection.execute(CHANGED, {"position": position, "lists": lists})]
    return ListMembers(lists, changed, sorted(place.contact_id for place in _as_of(store, changed, position)))


def _as_of(store: Store, numbers: list[int], position: int) -> Iterator[recipient.Recipient]:
    """The places that somebody stood on."""
    for start in range(0, len(numbers), CHUNK):
        for loaded in store.load(recipient.decider, numbers=numbers[start : start + CHUNK], as_of=position):
            if loaded.state.active:
                yield loaded.state
