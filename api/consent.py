"""The consent proof of a contact, as JSON and as a page to print."""

from __future__ import annotations

import asyncio
from datetime import datetime

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.cloud_events import audience_slugs
from api.consent_page import HEADERS, HTML, page
from api.directory import Directory
from api.errors import not_found
from domain import contact as c
from domain.chain import Json
from domain.consent import Fact, Origin, Slugs, proof
from domain.store.history import Stream, read_stream
from domain.store.log import Store
from domain.store.recorded import Recorded


class ConsentEntry(Fact, frozen=True, kw_only=True):
    """A fact; fields that say nothing are left out. ``hash`` is the SHA-256 of all other fields in canonical JSON."""

    number: int
    previous: str
    hash: str


class ConsentProof(msgspec.Struct):
    """Every consent fact of a contact, chained by hashes. ``seal`` is the service's own mark upon the last hash."""

    format: str
    contact_id: int
    email: str | None
    organization: str
    position: int
    issued_at: datetime
    count: int
    entries: list[ConsentEntry]
    hash: str
    seal: str


async def consent(call: Call) -> Answer:
    """Prove what the contact agreed to and refused: every fact, when, from where and by whom."""
    number, owner = call.number("contact_id"), call.caller
    stream = await asyncio.to_thread(read_stream, call.wiring.store, c.decider.kind, number)
    own = (owner.organization_id, owner.organization)
    document = documented(stream, call.wiring.directory.now, number, own, stream.head, call.now)
    if document is None:
        raise not_found("contact_id")
    document["seal"] = seal(call.wiring.store, document)
    if HTML in (call.header(b"accept") or ""):
        return Answer(
            body=page(document).encode(),
            content_type=f"{HTML}; charset=utf-8".encode(),
            headers=HEADERS,
            position=stream.head,
        )
    return json_answer(document, position=stream.head, headers=((b"vary", b"Accept"),))


def documented(
    stream: Stream, directory: Directory, number: int, own: tuple[int, str], position: int, issued_at: datetime | str
) -> Json | None:
    """The document of a contact's stream, without its seal; None when the organization never knew the contact."""
    clients = {each.number: each.slug for each in directory.clients.values() if each.organization_id == own[0]}
    return proof(
        [(origin(recorded), event) for recorded, event in stream.events],
        contact_id=number,
        organization=own,
        slugs=Slugs(audience_slugs(directory), clients),
        position=position,
        issued_at=issued_at,
    )


def origin(recorded: Recorded) -> Origin:
    """What the envelope says of where an event came from."""
    return Origin(
        position=recorded.position,
        organization_id=recorded.organization_id,
        client_id=recorded.client_id,
        correlation_id=recorded.correlation_id,
        source=recorded.source,
    )


def seal(store: Store, document: Json) -> str:
    """A keyed hash that only this service can make: it tells its documents from those that were chained anew."""
    return store.keyring.digest("consent", document["hash"]).hex
