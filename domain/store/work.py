"""One stream while its commands are decided in memory: its state, and what is to be appended."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from uuid import UUID

import msgspec

from domain.decider import Decider, Event
from domain.personal import OWN, SealingKey
from domain.store.append import Append, Claim, Forgotten, NewKey, Row
from domain.store.found import Found
from domain.store.keyring import Keyring
from domain.store.mapper import Mapper, decode_personal
from domain.store.order import Context

SNAPSHOT_EVERY = 100
"""Events after which a stream's state is stored, so that a hot stream stays cheap to load."""

CONTACT = 4
NUMBER = (1 << 96) - 1


class ContactKeys(Mapping[int, SealingKey]):
    """The sealing keys of one contact, each unwrapped on first use."""

    __slots__ = ("_keyring", "_keys", "_wrapped")

    def __init__(self, keyring: Keyring, wrapped: dict[int, bytes]) -> None:
        self._keyring = keyring
        self._wrapped = wrapped
        self._keys: dict[int, SealingKey] = {}

    def __getitem__(self, organization_id: int) -> SealingKey:
        """The key for an organization, 0 the contact's own. Raises KeyError when there is none."""
        key = self._keys.get(organization_id)
        if key is None:
            key = self._keys[organization_id] = self._keyring.unwrap(self._wrapped[organization_id])
        return key

    def __iter__(self) -> Iterator[int]:
        """The organizations that have a key."""
        return iter({**self._wrapped, **self._keys})

    def __len__(self) -> int:
        """How many keys there are."""
        return len({**self._wrapped, **self._keys})

    def make(self, organization_id: int) -> bytes:
        """A new key; its wrapped form is to be stored."""
        self._keys[organization_id], wrapped = self._keyring.make()
        self._wrapped[organization_id] = wrapped
        return wrapped


class Work:
    """A loaded stream. ``pending`` are decided events that the log does not hold yet, each with its context."""

    __slots__ = ("contact_id", "decider", "expected", "found", "key", "keys", "pending", "state", "stream", "version")

    def __init__(
        self, decider: Decider[Any], key: UUID | None, contact_id: int, found: Found, keys: ContactKeys
    ) -> None:
        self.decider = decider
        self.key = key
        self.found = found
        self.keys = keys
        self.stream = found.stream or UUID(int=decider.kind << 96)
        self.contact_id = self.number if decider.kind == CONTACT else contact_id
        self.state = decider.remembered(found.kept) if found.kept and decider.remembered else decider.initial
        self.version = 0
        self.expected = 0
        self.pending: list[tuple[Event, Context]] = []

    @property
    def number(self) -> int:
        """The number within the kind; the public id."""
        return self.stream.int & NUMBER

    def replay(self, mapper: Mapper, until: Callable[[Event, int], bool] | None = None) -> None:
        """Fold the snapshot and the loaded events, as far as ``until(event, position)`` holds.

        Raises UnknownEvent.
        """
        if self.found.snapshot is not None:
            self.version, data = self.found.snapshot
            self.state = open_snapshot(self.decider, data, self.keys)
        evolve, state, keys = self.decider.evolve, self.state, self.keys
        for version, topic, data, position in self.found.events:
            event = mapper.open(topic, data, keys)
            if until is not None and not until(event, position):
                break
            state = evolve(state, event)
            self.version = version
        self.state = state
        self.expected = self.version

    def apply(self, events: tuple[Event, ...], context: Context) -> None:
        """Take decided events in, to be appended."""
        evolve = self.decider.evolve
        for event in events:
            self.state = evolve(self.state, event)
            self.version += 1
            self.pending.append((event, context))

    def add_to(self, batch: Append, mapper: Mapper) -> None:
        """Add what must be written to the batch: the claim, new keys, sealed events, keys to destroy."""
        if self.found.fresh and self.key is not None:
            own = self.keys.make(OWN) if self.decider.kind == CONTACT else None
            batch.claims.append(Claim(self.decider.kind, self.key, self.number, own))
        stream, version, contact_id = self.stream, self.expected, self.contact_id
        batch.heads.append((stream, version))
        for event, context in self.pending:
            version += 1
            owner = context.organization_id
            for field, by_contact in mapper.personal_of(event):
                if not by_contact and owner not in self.keys and getattr(event, field) is not None:
                    self._make_key(owner, batch)
            topic, data = mapper.seal(event, owner, self.keys)
            # fmt: off
            batch.rows.append(Row(
                stream, version, topic, data, owner, context.client_id, contact_id, event.at,
                context.correlation_id, context.causation_id, context.source,
            ))
            # fmt: on
            if event.forgets:
                kept = event.keeps
                batch.forget.extend(Forgotten(contact_id, owner, kept) for owner in event.forgets)

    @property
    def _outlived_contact(self) -> bool:
        """True when the contact was erased for good: what is still told of it is sealed, and its key kept nowhere."""
        return self.decider.kind != CONTACT and self.contact_id != 0 and OWN not in self.keys

    @property
    def needs_snapshot(self) -> bool:
        """True when the stored snapshot is far behind, or missing from a long stream."""
        return self.version - (self.found.snapshot[0] if self.found.snapshot else 0) >= SNAPSHOT_EVERY

    def _make_key(self, organization_id: int, batch: Append) -> None:
        wrapped = self.keys.make(organization_id)
        if not self._outlived_contact:
            batch.keys.append(NewKey(self.stream, self.contact_id, organization_id, wrapped))


def open_snapshot(decider: Decider[Any], data: bytes, keys: ContactKeys) -> Any:
    """A state from its stored form, personal fields bound to the keys."""

    def decode(cls: type, token: Any) -> Any:
        value = decode_personal(cls, token)
        value.bind(keys)
        return value

    return msgspec.msgpack.decode(data, type=type(decider.initial), dec_hook=decode)
