"""Personal data inside events: text that is sealed wherever it is stored and unsealed on first use.

An event field of type :class:`Address` is sealed under the contact's own key, one of type :class:`Personal` under the
key of the contact and the organization (design, section 4.4). Rules read ``.text``; the bytes are opened only then.
A field whose key is gone reads as redacted and never stops a replay.
"""

from __future__ import annotations

from binascii import Error as BinasciiError
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from struct import Struct
from typing import ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.entropy import random_bytes

NONCE_BYTES = 12
SCOPE = Struct(">Q")
"""The organization whose key seals, in front of the nonce and the ciphertext."""
HEADER = SCOPE.size + NONCE_BYTES


class SealingKey:
    """An unwrapped AES-256-GCM key, shared by all the fields that it seals."""

    __slots__ = ("cipher",)

    def __init__(self, key: bytes) -> None:
        self.cipher = AESGCM(key)


SealingKeys = Mapping[int, SealingKey]
"""The keys of one contact by organization; 0 is the contact's own. A key that was destroyed is absent."""

OWN = 0


class Personal:
    """Free text about a person, sealed under the key of one contact and one organization.

    Two values are equal when their texts are; a redacted value is equal to the empty text.
    """

    __slots__ = ("_keys", "_sealed", "_text")
    by_contact_alone: ClassVar[bool] = False

    def __init__(self, text: str | None, sealed: bytes | None = None) -> None:
        self._text = text
        self._sealed = sealed
        self._keys: SealingKeys | None = None

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Take the form that stands in the log; the keys are bound later, in bulk.

        Raises ValueError when the token is not base64.
        """
        try:
            return cls(None, a2b_base64(token, strict_mode=True))
        except BinasciiError as error:
            raise ValueError("a sealed field is not base64") from error

    def bind(self, keys: SealingKeys) -> None:
        """Give the contact's keys, of which one opens the sealed bytes unless it was destroyed."""
        self._keys = keys

    def seal(self, organization_id: int, keys: SealingKeys) -> None:
        """Seal the text under the key of the organization (0: the contact's own), unless it is sealed already.

        Raises KeyError when that key is missing.
        """
        if self._sealed is None:
            nonce = random_bytes(NONCE_BYTES)
            sealed = keys[organization_id].cipher.encrypt(nonce, self.text.encode(), None)
            self._sealed = SCOPE.pack(organization_id) + nonce + sealed
            self._keys = keys

    @property
    def sealed(self) -> bool:
        """True once the value has the form that may be stored."""
        return self._sealed is not None

    @property
    def token(self) -> str:
        """The sealed bytes as base64, as they stand in the log. Raises ValueError while the value is not sealed."""
        if self._sealed is None:
            raise ValueError("personal data was about to be stored unsealed")
        return b2a_base64(self._sealed, newline=False).decode("ascii")

    @property
    def redacted(self) -> bool:
        """True when the key is gone and the text with it."""
        return self._text is None and self._open() is None

    @property
    def text(self) -> str:
        """The text, opened on first use; empty when it is redacted."""
        if self._text is None:
            return self._open() or ""
        return self._text

    def _open(self) -> str | None:
        if self._sealed is None or self._keys is None:
            return None
        sealed = self._sealed
        try:
            key = self._keys[SCOPE.unpack_from(sealed)[0]]
            opened = key.cipher.decrypt(sealed[SCOPE.size : HEADER], sealed[HEADER:], None)
        except (KeyError, InvalidTag):
            return None
        self._text = opened.decode()
        return self._text

    def __eq__(self, other: object) -> bool:
        """Compare texts."""
        return self.text == other.text if isinstance(other, Personal) else NotImplemented

    def __hash__(self) -> int:
        """Hash the text."""
        return hash(self.text)

    def __repr__(self) -> str:
        """Name the type only: a log line or traceback must not show the text."""
        return f"{type(self).__name__}(…)"


class Address(Personal):
    """An email address, sealed under the contact's own key, which dies with the last organization's relation."""

    __slots__ = ()
    by_contact_alone: ClassVar[bool] = True
