"""Signatures of webhooks by the Standard Webhooks specification (version 1); their secrets are derived, not kept."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from hmac import new
from typing import Final

PURPOSE: Final = "webhooks"
"""What the keyring calls the key that all secrets come from."""
PREFIX: Final = "whsec_"


class Secrets:
    """The secrets of all webhooks, from one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def raw(self, webhook_id: int, generation: int) -> bytes:
        """The 32 bytes that sign."""
        return new(self._key, b"%d/%d" % (webhook_id, generation), sha256).digest()

    def shown(self, webhook_id: int, generation: int) -> str:
        """The secret as its receiver keeps it."""
        return PREFIX + b64encode(self.raw(webhook_id, generation)).decode()

    def signatures(
        self, webhook_id: int, generations: Iterable[int], *, message_id: str, seconds: int, body: bytes
    ) -> str:
        """The value of ``webhook-signature``: one for each generation that signs, separated by spaces."""
        signed = b"%b.%d.%b" % (message_id.encode(), seconds, body)
        digests = (new(self.raw(webhook_id, each), signed, sha256).digest() for each in generations)
        return " ".join("v1," + b64encode(digest).decode() for digest in digests)
