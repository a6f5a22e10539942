"""Whose relation to a contact the rows of an import speak of: each row's own audience and client, or the import's."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """The client that imports, by number and slug, and its organization."""

    organization_id: int
    client_id: int
    slug: str


FindAudience = Callable[[str], int | None]
"""The number of the audience that a slug names in the caller's organization."""


class Scopes:
    """Resolves slugs. ``audience`` and ``client`` are the import's own, empty when it named none."""

    def __init__(self, caller: Caller, find_audience: FindAudience, *, audience: str = "", client: str = "") -> None:
        self.caller = caller
        self._find = find_audience
        self._audience = audience
        self._client = client
        self._found: dict[str, int | None] = {}

    def audience_id(self, audience: str, client: str, errors: dict[str, str]) -> int:
        """The audience's number; what is wrong with either slug is noted in ``errors``: then it may be 0."""
        client = client or self._client
        if not client:
            errors["client"] = "required"
        elif client != self.caller.slug:
            errors["client"] = "forbidden"
        audience = audience or self._audience
        if not audience:
            errors["audience"] = "required"
            return 0
        if audience not in self._found:
            self._found[audience] = self._find(audience)
        number = self._found[audience]
        if number is None:
            errors["audience"] = "not_found"
        return number or 0
