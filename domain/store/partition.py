"""How the log is divided: what keeps events in order, and the partition that each one belongs to."""

from __future__ import annotations

from zlib import crc32

from domain.store.recorded import Recorded


def key_of(event: Recorded) -> bytes:
    """What keeps events in order: the contact that they concern, else their stream."""
    return str(event.contact_id).encode() if event.contact_id else event.stream.hex.encode()


def partition_of(event: Recorded, partitions: int) -> int:
    """The partition of an event, always 0 when there is one."""
    return crc32(key_of(event)) % partitions if partitions > 1 else 0
