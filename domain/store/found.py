"""Streams that are wanted from the log, and what was found of them."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

StoredRow = tuple[int, str, bytes, int]
"""Version, topic, data and position of a stored event."""


class Wanted(NamedTuple):
    """A stream to load, by the hash of its natural key or by its id; ``shape`` is the snapshot version."""

    kind: int
    shape: int
    contact_id: int
    key: UUID | None = None
    stream: UUID | None = None


class Found(NamedTuple):
    """A stream as loaded. ``fresh``: its key has claimed no number yet, ``stream`` is the one it would get
    (None when none was asked for). ``wrapped_keys`` has the contact's keys by organization, 0 its own.
    ``kept`` is what stayed of an erased contact with the same key (``Event.keeps``).
    """

    stream: UUID | None
    fresh: bool
    wrapped_keys: dict[int, bytes]
    snapshot: tuple[int, bytes] | None
    events: list[StoredRow]
    head: int
    kept: int
