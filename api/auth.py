"""Finds out who calls, from memory: clients by their API keys, operators by the one key of the settings."""

from __future__ import annotations

from hmac import compare_digest

from api.directory import Client, LiveDirectory
from api.errors import unauthorized
from api.key_usage import KeyUsage
from domain import api_key

SCHEME = "bearer "


def bearer(header: str | None) -> str:
    """The token of an Authorization header. Raises ApiError 401 when there is none."""
    if header is None:
        raise unauthorized("missing_authorization")
    if header[: len(SCHEME)].lower() != SCHEME or not header[len(SCHEME) :].strip():
        raise unauthorized("invalid_authorization")
    return header[len(SCHEME) :].strip()


class Authentication:
    """Knows the pepper of key hashes and the operator's key; an empty one opens nothing."""

    def __init__(self, directory: LiveDirectory, usage: KeyUsage, pepper: bytes, operator_key: str) -> None:
        self._directory = directory
        self._usage = usage
        self._pepper = pepper
        self._operator_key = operator_key.encode()

    def client(self, header: str | None) -> Client:
        """The client whose active key the header bears. Raises ApiError 401 (contract, Authentication)."""
        key = api_key.parse(bearer(header))
        found = None if key is None else self._directory.now.keys.get(key.public_id)
        if key is None or found is None:
            raise unauthorized("invalid_api_key")
        client, stored = found
        if not api_key.matches(key, stored.key_hash, self._pepper) or stored.revoked_at is not None:
            raise unauthorized("invalid_api_key")
        if not client.active:
            raise unauthorized("inactive_client")
        self._usage.note(key.public_id)
        return client

    def operator(self, header: str | None) -> None:
        """Raises ApiError 401 unless the header bears the operator's key."""
        token = bearer(header).encode("utf-8", "surrogateescape")
        if not self._operator_key or not compare_digest(token, self._operator_key):
            raise unauthorized("invalid_api_key")
