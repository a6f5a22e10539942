"""API keys, ``dm_<public_id>_<secret>``: how they are made, read, hashed and compared (contract, Authentication)."""

from __future__ import annotations

import re
from hashlib import blake2b
from hmac import compare_digest
from secrets import token_hex
from typing import Final, NamedTuple

_FORM: Final = re.compile(r"dm_([A-Za-z0-9]{1,32})_([!-~]{1,200})")
PUBLIC_ID_BYTES: Final = 8
SECRET_BYTES: Final = 32


class ApiKey(NamedTuple):
    """A key in the clear. ``public_id`` may be shown and logged, ``secret`` is shown once and never stored."""

    public_id: str
    secret: str

    def __str__(self) -> str:
        return f"dm_{self.public_id}_{self.secret}"

    def __repr__(self) -> str:
        return f"ApiKey(dm_{self.public_id}_…)"


def generate() -> ApiKey:
    """Make a key with 256 bits of randomness in its secret."""
    return ApiKey(token_hex(PUBLIC_ID_BYTES), token_hex(SECRET_BYTES))


def parse(text: str) -> ApiKey | None:
    """Read a key; None when the text does not have the form of one."""
    form = _FORM.fullmatch(text)
    return None if form is None else ApiKey(form[1], form[2])


def key_hash(key: ApiKey, pepper: bytes) -> str:
    """Hash a key under the service's own secret of at most 64 bytes: 64 hexadecimal digits.

    A fast hash is right because a secret has 256 bits: there is nothing to guess. Raises ValueError for a longer
    pepper.
    """
    return blake2b(str(key).encode("ascii"), digest_size=32, key=pepper, person=b"datamailer-key").hexdigest()


def matches(key: ApiKey, stored_hash: str, pepper: bytes) -> bool:
    """Tell whether the key is the one that was hashed, in constant time."""
    return compare_digest(key_hash(key, pepper).encode("ascii"), stored_hash.encode())
