"""Whose request it is: the client is the caller, the audience one of its organization (contract, Conventions)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.directory import Audience, Client, Directory
from api.scalars import Errors


def check_scope(given: Mapping[str, Any], caller: Client, directory: Directory, errors: Errors) -> Audience | None:
    """Find the audience that a request names, and note what is wrong with its scope.

    Fields of the wrong type are noted already, by the reader of the request.
    """
    client = given.get("client")
    if "client" not in errors and client is not None and str(client).strip() != caller.slug:
        errors["client"] = "forbidden"
    slug = given.get("audience")
    if "audience" in errors or slug is None:
        return None
    found = directory.audience(caller.organization_id, str(slug).strip())
    if found is None:
        errors["audience"] = "not_found"
    return found
