"""Keys: one root key wrapped by the master key, which wraps every contact's keys and hashes natural keys.

Changing the master key means to wrap one row anew. A destroyed row makes what it sealed unrecoverable.
"""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as BinasciiError
from hashlib import blake2b
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.entropy import random_bytes
from domain.personal import NONCE_BYTES, SealingKey

KEY_BYTES = 32


class WrongMasterKey(Exception):
    """The master key is not 32 bytes of base64, or not the one that this database was made with."""


class Keyring:
    """Makes, wraps and unwraps keys; hashes what must be found again but not be read."""

    def __init__(self, root: bytes) -> None:
        self._root = AESGCM(root)
        self._pepper = blake2b(b"datamailer identities", key=root, digest_size=KEY_BYTES).digest()

    @classmethod
    def open(cls, connection: psycopg.Connection[tuple[bytes]], master_key: str) -> Keyring:
        """Unwrap the database's root key, making it on the first call ever. Raises WrongMasterKey."""
        master = AESGCM(decode_master_key(master_key))
        fresh = _wrap(master, random_bytes(KEY_BYTES))
        connection.execute("INSERT INTO root_key (wrapped_key) VALUES (%s) ON CONFLICT DO NOTHING", (fresh,))
        row = connection.execute("SELECT wrapped_key FROM root_key").fetchone()
        connection.commit()
        if row is None:
            msg = "the root key row is gone"
            raise WrongMasterKey(msg)
        try:
            return cls(_unwrap(master, row[0]))
        except InvalidTag as error:
            msg = "MASTER_KEY is not the key that this database was made with"
            raise WrongMasterKey(msg) from error

    def digest(self, purpose: str, text: str) -> UUID:
        """A keyed 128-bit hash of a natural key or the like; ``purpose`` keeps the kinds of text apart."""
        hashed = blake2b(text.encode(), key=self._pepper, digest_size=16, person=purpose.encode()[:16])
        return UUID(bytes=hashed.digest())

    def secret(self, purpose: str) -> bytes:
        """A key of 32 bytes for signing; the same for a purpose as long as the database lives."""
        return blake2b(purpose.encode(), key=self._pepper, digest_size=KEY_BYTES).digest()

    def make(self) -> tuple[SealingKey, bytes]:
        """A new key, and its wrapped form for the database."""
        key = random_bytes(KEY_BYTES)
        return SealingKey(key), _wrap(self._root, key)

    def unwrap(self, wrapped: bytes) -> SealingKey:
        """The key of a stored row. Raises cryptography's InvalidTag when it was changed."""
        return SealingKey(_unwrap(self._root, wrapped))

    def of_request(self, text: str) -> SealingKey:
        """A key that nobody can make who does not know the text of a request."""
        return SealingKey(blake2b(text.encode(), key=self._pepper, digest_size=KEY_BYTES, person=b"answer").digest())

    def seal(self, plain: bytes) -> bytes:
        """Seal bytes that belong to no contact, and speak of none."""
        return _wrap(self._root, plain)

    def unseal(self, sealed: bytes) -> bytes:
        """Open what :meth:`seal` made. Raises cryptography's InvalidTag when it was changed."""
        return _unwrap(self._root, sealed)


def decode_master_key(text: str) -> bytes:
    """The 32 bytes of a MASTER_KEY. Raises WrongMasterKey."""
    try:
        key = b64decode(text, validate=True)
    except BinasciiError:
        key = b""
    if len(key) != KEY_BYTES:
        msg = "MASTER_KEY must be 32 bytes in base64"
        raise WrongMasterKey(msg)
    return key


def sealed(key: SealingKey, plain: bytes) -> bytes:
    """Seal bytes under a key that is at hand."""
    return _wrap(key.cipher, plain)


def unsealed(key: SealingKey, data: bytes) -> bytes:
    """Open what :func:`sealed` made. Raises cryptography's InvalidTag for another key."""
    return _unwrap(key.cipher, data)


def _wrap(cipher: AESGCM, plain: bytes) -> bytes:
    nonce = random_bytes(NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, None)


def _unwrap(cipher: AESGCM, wrapped: bytes) -> bytes:
    return cipher.decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], None)
