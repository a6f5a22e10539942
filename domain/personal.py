"""Personal data inside events: text that is sealed wherever it is stored and unsealed on first use.

An event field of type :class:`Address` is sealed under the contact's own key, one of type :class:`Personal` under the
key of the contact and the organization (design, section 4.4). Rules read ``.text``; the bytes are opened only then.
A field whose key is gone reads as redacted and never stops a replay.
"""

from __future__ import annotations

import binascii
import os
from base64 import b64decode, b64encode
from typing import TYPE_CHECKING, ClassVar, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

if TYPE_CHECKING:
    from collections.abc import Callable

NONCE_BYTES = 12


class SealingKey:
    """An AES-256-GCM key that is unwrapped on first use, and shared by all the fields that it seals."""

    __slots__ = ("_cipher", "_unwrap")

    def __init__(self, unwrap: Callable[[], bytes]) -> None:
        self._unwrap = unwrap
        self._cipher: AESGCM | None = None

    @property
    def cipher(self) -> AESGCM:
        """The cipher, made from the unwrapped key once."""
        if self._cipher is None:
            self._cipher = AESGCM(self._unwrap())
        return self._cipher


class Personal:
    """Free text about a person, sealed under the key of one contact and one organization.

    Two values are equal when their texts are; a redacted value is equal to the empty text.
    """

    __slots__ = ("_key", "_sealed", "_text")
    by_contact_alone: ClassVar[bool] = False

    def __init__(self, text: str) -> None:
        self._text: str | None = text
        self._sealed: bytes | None = None
        self._key: SealingKey | None = None

    @classmethod
    def from_token(cls, token: str) -> Self:
        """Take the form that stands in the log; the key is bound later, in bulk.

        Raises ValueError when the token is not base64.
        """
        value = cls.__new__(cls)
        value._text = None
        value._key = None
        try:
            value._sealed = b64decode(token, validate=True)
        except binascii.Error as error:
            msg = "a sealed field is not base64"
            raise ValueError(msg) from error
        return value

    def bind(self, key: SealingKey | None) -> None:
        """Give the key that opens the sealed bytes; None when it was destroyed."""
        self._key = key

    def seal(self, key: SealingKey) -> None:
        """Seal the text under the key, unless it is sealed already."""
        if self._sealed is None:
            nonce = os.urandom(NONCE_BYTES)
            self._sealed = nonce + key.cipher.encrypt(nonce, self.text.encode(), None)
            self._key = key

    @property
    def token(self) -> str:
        """The sealed bytes as base64, as they stand in the log. Raises ValueError while the value is not sealed."""
        if self._sealed is None:
            msg = "personal data was about to be stored unsealed"
            raise ValueError(msg)
        return b64encode(self._sealed).decode("ascii")

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
        if self._sealed is None or self._key is None:
            return None
        try:
            opened = self._key.cipher.decrypt(self._sealed[:NONCE_BYTES], self._sealed[NONCE_BYTES:], None)
        except InvalidTag:
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
