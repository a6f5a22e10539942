"""Which addresses an import has kept, and where: 18 bytes an address, so that a million rows cost little memory."""

from __future__ import annotations

from hashlib import blake2b
from os import urandom
from struct import Struct

DIGEST_BYTES = 16
PLACE = Struct(">I")
KEPT_BYTES = DIGEST_BYTES - 2
ENTRY_BYTES = KEPT_BYTES + PLACE.size


class SeenAddresses:
    """Normalized addresses by a keyed 128-bit hash, each with the item that brought it first."""

    def __init__(self) -> None:
        self._key = urandom(DIGEST_BYTES)
        self._buckets: dict[bytes, bytearray] = {}

    def digest(self, address: str) -> bytes:
        """What stands for an address here."""
        return blake2b(address.encode(), digest_size=DIGEST_BYTES, key=self._key).digest()

    def add(self, digest: bytes, item: int) -> None:
        """Keep an address that is not here yet. ``item`` counts from 1."""
        bucket = self._buckets.get(digest[:2])
        if bucket is None:
            bucket = self._buckets[digest[:2]] = bytearray()
        bucket += digest[2:] + PLACE.pack(item)

    def item_of(self, digest: bytes) -> int:
        """The item that was kept for the address; 0 when there is none."""
        bucket = self._buckets.get(digest[:2])
        if bucket is None:
            return 0
        at = bucket.find(digest[2:])
        while at >= 0:
            if at % ENTRY_BYTES == 0:
                item: int = PLACE.unpack_from(bucket, at + KEPT_BYTES)[0]
                return item
            at = bucket.find(digest[2:], at + 1)
        return 0
