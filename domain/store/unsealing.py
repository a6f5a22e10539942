"""Decodes events in bulk, with the keys of all their contacts fetched in one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.rows import tuple_row

from domain.decider import Event
from domain.personal import OWN, SealingKeys
from domain.store import arrays
from domain.store.keyring import Keyring
from domain.store.mapper import Mapper, Opener
from domain.store.recorded import Recorded
from domain.store.work import ContactKeys

OWN_KEYS = "SELECT number, 0::bigint, wrapped_key FROM identities WHERE kind = 4 AND number = ANY(%b)"
RING_KEYS = "SELECT contact_id, organization_id, wrapped_key FROM keyring WHERE contact_id = ANY(%b)"
ALL_KEYS = """
SELECT number, 0::bigint, wrapped_key FROM identities
WHERE kind = 4 AND number >= %(first)b AND number < %(until)b AND wrapped_key IS NOT NULL
UNION ALL
SELECT contact_id, organization_id, wrapped_key FROM keyring WHERE contact_id >= %(first)b AND contact_id < %(until)b
"""


class Unsealer:
    """Binds personal fields to keys; the bytes themselves are opened when a text is read."""

    def __init__(self, mapper: Mapper, keyring: Keyring) -> None:
        self._mapper = mapper
        self._keyring = keyring

    def open(self, connection: psycopg.Connection[Any], events: Sequence[Recorded]) -> list[tuple[Recorded, Event]]:
        """The events with their decoded data. Raises UnknownEvent."""
        mapper_open = self._mapper.open
        keys = self.keys(connection, events)
        nothing: SealingKeys = {}
        return [(r, mapper_open(r.topic, r.data, keys.get(r.contact_id, nothing))) for r in events]

    def opener(self, topic: str) -> Opener:
        """What decodes the events of a topic, for those who bind the keys themselves. Raises UnknownEvent."""
        return self._mapper.opener(topic)

    def keys(self, connection: psycopg.Connection[Any], events: Sequence[Recorded]) -> dict[int, ContactKeys]:
        """The keys of the contacts whose personal data the events may bear, by contact; destroyed ones are absent."""
        wrapped: dict[int, dict[int, bytes]] = {}
        for query, own in ((OWN_KEYS, True), (RING_KEYS, False)):
            topics = {topic for topic in {r.topic for r in events} if self._mapper.needs_key(topic, own=own)}
            contacts = {r.contact_id for r in events if r.topic in topics}
            if contacts:
                arrays.register(connection)
                cursor = connection.cursor(binary=True, row_factory=tuple_row)
                for contact, organization, key in cursor.execute(query, (arrays.bigints(contacts),), prepare=True):
                    if key is not None:
                        wrapped.setdefault(contact, {})[organization if not own else OWN] = key
        return {contact: ContactKeys(self._keyring, keys) for contact, keys in wrapped.items()}

    def keys_between(self, connection: psycopg.Connection[Any], first: int, until: int) -> dict[int, ContactKeys]:
        """All keys of the contacts from ``first`` up to, without it, ``until``, for those who read many of them."""
        wrapped: dict[int, dict[int, bytes]] = {}
        cursor = connection.cursor(binary=True, row_factory=tuple_row)
        cursor.execute(ALL_KEYS, {"first": first, "until": until}, prepare=True)
        for contact, organization, key in cursor.fetchall():
            known = wrapped.get(contact)
            if known is None:
                wrapped[contact] = {organization: key}
            else:
                known[organization] = key
        return {contact: ContactKeys(self._keyring, keys) for contact, keys in wrapped.items()}
