"""Signed tokens for the links in a mail: opening, clicking, unsubscribing. No table is looked up to read one.

A token is base64url of one byte that tells version and purpose, the payload, and the first 16 bytes of HMAC-SHA256 over
both (RFC 2104, section 5, allows half of the digest). A click token holds its destination, so no other can be reached.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BinasciiError
from hmac import compare_digest
from struct import Struct
from typing import Final
from uuid import UUID

import msgspec

MAC_BYTES: Final = 16
KEY_BYTES: Final = 32
TOKEN_LIMIT: Final = 16_384

_OPEN: Final = b"\x11"
_CLICK: Final = b"\x12"
_UNSUBSCRIBE: Final = b"\x13"
"""The high half is the version, the low half the purpose: no token is good for another purpose."""
_STREAM: Final = Struct(">16s")
_LINK: Final = Struct(">16sH")
_SCOPE: Final = Struct(">16sQQQQ")


class OpenLink(msgspec.Struct, frozen=True):
    """The pixel of the message with this stream."""

    stream: UUID


class ClickLink(msgspec.Struct, frozen=True):
    """A link of the message: its number in the mail from 0, and where it leads."""

    stream: UUID
    number: int
    url: str


class UnsubscribeLink(msgspec.Struct, frozen=True):
    """The way out of the list of a client in an audience, for the contact that got the message."""

    stream: UUID
    organization_id: int
    audience_id: int
    client_id: int
    contact_id: int


Link = OpenLink | ClickLink | UnsubscribeLink


class Signer:
    """Makes tokens with a key and reads those made with it, or with an older key that is still good."""

    __slots__ = ("_key", "_keys")

    def __init__(self, key: bytes, *older: bytes) -> None:
        """Take keys of 32 bytes at least. Raises ValueError for a shorter one."""
        if any(len(one) < KEY_BYTES for one in (key, *older)):
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        self._key = key
        self._keys = (key, *older)

    def open(self, stream: UUID) -> str:
        """The token of the message's pixel."""
        return self._signed(_OPEN + stream.bytes)

    def click(self, stream: UUID, number: int, url: str) -> str:
        """The token of a link in the message."""
        return self._signed(_CLICK + _LINK.pack(stream.bytes, number) + url.encode())

    def unsubscribe(self, link: UnsubscribeLink) -> str:
        """The token of the message's way out."""
        scope = (link.organization_id, link.audience_id, link.client_id, link.contact_id)
        return self._signed(_UNSUBSCRIBE + _SCOPE.pack(link.stream.bytes, *scope))

    def opened(self, token: str) -> OpenLink | None:
        """Read the token of a pixel; None for any other text."""
        payload = self._read(token, _OPEN)
        return OpenLink(UUID(bytes=payload)) if payload is not None and len(payload) == _STREAM.size else None

    def clicked(self, token: str) -> ClickLink | None:
        """Read the token of a link; None for any other text."""
        payload = self._read(token, _CLICK)
        if payload is None or len(payload) <= _LINK.size:
            return None
        stream, number = _LINK.unpack_from(payload)
        return ClickLink(UUID(bytes=stream), number, payload[_LINK.size :].decode())

    def unsubscribing(self, token: str) -> UnsubscribeLink | None:
        """Read the token of a way out; None for any other text."""
        payload = self._read(token, _UNSUBSCRIBE)
        if payload is None or len(payload) != _SCOPE.size:
            return None
        stream, organization_id, audience_id, client_id, contact_id = _SCOPE.unpack(payload)
        return UnsubscribeLink(UUID(bytes=stream), organization_id, audience_id, client_id, contact_id)

    def _signed(self, data: bytes) -> str:
        return urlsafe_b64encode(data + hmac.digest(self._key, data, "sha256")[:MAC_BYTES]).rstrip(b"=").decode()

    def _read(self, token: str, purpose: bytes) -> bytes | None:
        """The payload of a token that was made here for the purpose. The spelling must be the one that is made."""
        if len(token) > TOKEN_LIMIT or not token.isascii():
            return None
        try:
            raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except BinasciiError:
            return None
        if urlsafe_b64encode(raw).rstrip(b"=").decode() != token:
            return None
        data, mac = raw[:-MAC_BYTES], raw[-MAC_BYTES:]
        macs = [hmac.digest(key, data, "sha256")[:MAC_BYTES] for key in self._keys]
        good = [compare_digest(mac, made) for made in macs]
        return data[1:] if any(good) and data[:1] == purpose else None
