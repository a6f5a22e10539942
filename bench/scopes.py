"""On whose behalf the bench calls: two clients of the demo data, so that rows do not disturb each other."""

from __future__ import annotations

import msgspec

from api.demo import AUDIENCES, CLIENTS, KEYS
from api.directory import Directory


class Scope(msgspec.Struct, frozen=True):
    """An audience and a client of one organization, with the client's key."""

    audience: str
    client: str
    key: str
    organization_id: int
    audience_id: int
    client_id: int


def scope(directory: Directory, audience: str, client: str) -> Scope:
    """Find the numbers of slugs."""
    owner = directory.organizations[CLIENTS[client][0]].number
    if AUDIENCES[audience][0] != CLIENTS[client][0]:
        raise KeyError(audience)
    return Scope(
        audience=audience,
        client=client,
        key=KEYS[client],
        organization_id=owner,
        audience_id=directory.audiences[owner, audience].number,
        client_id=directory.clients[owner, client].number,
    )
