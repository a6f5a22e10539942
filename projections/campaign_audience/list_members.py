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
NUMBER: Final = (1 << 96) - 1

LISTS = """
SELECT list_id FROM recipient_lists WHERE client_id = %(client)s
AND (%(key)s IN (key, %(all)s) OR starts_with(key, %(key)s || ':'))
"""
CHANGED = """
SELECT DISTINCT originator_id FROM log WHERE notification_id > %s
AND originator_id >= stream_id(11, 0) AND originator_id < stream_id(12, 0)
"""
MEMBERS = """
SELECT contact_id FROM recipients
WHERE list_id = ANY(%(lists)s::bigint[]) AND removed_at IS NULL AND recipient_id <> ALL(%(changed)s::bigint[])
UNION SELECT unnest(%(besides)s::bigint[])
"""
"""The contacts, each once; takes the parameters of :class:`ListMembers`."""


class ListMembers(msgspec.Struct, frozen=True):
    """The lists of a tree, the places on any list that changed since, and the contacts that stood on those of them."""

    lists: list[int]
    changed: list[int]
    besides: list[int]

    @property
    def parameters(self) -> dict[str, object]:
        """The parameters of :data:`MEMBERS`."""
        return msgspec.structs.asdict(self)

    def among(self, connection: psycopg.Connection[Any], numbers: list[int]) -> set[int]:
        """Which of the contacts are on the list."""
        wanted = f"SELECT contact_id FROM ({MEMBERS}) AS m WHERE contact_id = ANY(%(numbers)s)"
        return {number for (number,) in connection.execute(wanted, self.parameters | {"numbers": numbers})}


def list_members(
    store: Store, connection: psycopg.Connection[Any], campaign: Campaign, key: str, position: int
) -> ListMembers:
    """The members of the client's list and of those within it as of the position, which the read model must reflect.

    Raises Unavailable.
    """
    scope = {"client": campaign.client_id, "key": key, "all": ALL}
    lists = {number for (number,) in connection.execute(LISTS, scope)}
    changed = [stream.int & NUMBER for (stream,) in connection.execute(CHANGED, (position,))]
    before = _as_of(store, changed, position)
    return ListMembers(sorted(lists), changed, sorted(r.contact_id for r in before if r.active and r.list_id in lists))


def _as_of(store: Store, numbers: list[int], position: int) -> Iterator[recipient.Recipient]:
    for start in range(0, len(numbers), CHUNK):
        for loaded in store.load(recipient.decider, numbers=numbers[start : start + CHUNK], as_of=position):
            yield loaded.state
