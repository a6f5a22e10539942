"""Each message as a CloudEvent: the envelope in its headers, the stored bytes as its value."""

from __future__ import annotations

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from domain.store.recorded import Recorded

Headers = list[tuple[str, bytes]]
FORMAT: Final[Headers] = [("content-type", b"application/json"), ("ce_specversion", b"1.0")]


class Message(NamedTuple):
    """An event as Kafka gave it. ``prev`` is the position of the one before it on the partition.

    ``event`` is None when the event was too large for Kafka: it is to be read from the log.
    """

    position: int
    prev: int
    event: Recorded | None


def headers_of(event: Recorded, prev: int, generation: bytes) -> Headers:
    """The envelope in CloudEvents' binary mode (Kafka protocol binding 1.0.2, section 3.2). The value is the data."""
    name, _, version = event.topic.partition("@")
    position = str(event.position).encode()
    headers = [
        *FORMAT,
        ("ce_id", position),
        ("ce_type", name.encode()),
        ("ce_source", b"/datamailer"),
        ("ce_subject", str(event.stream).encode()),
        ("ce_time", event.occurred_at.isoformat().encode()),
        ("ce_version", version.encode()),
        ("ce_position", position),
        ("ce_streamversion", str(event.version).encode()),
        ("ce_organization", str(event.organization_id).encode()),
        ("ce_client", str(event.client_id).encode()),
        ("ce_contact", str(event.contact_id).encode()),
        ("ce_correlationid", event.correlation_id.hex.encode()),
        ("ce_origin", event.source.encode()),
        ("ce_prev", str(prev).encode()),
        ("ce_generation", generation),
    ]
    if event.causation_id is not None:
        headers.append(("ce_causationid", str(event.causation_id).encode()))
    return headers


def too_large(event: Recorded, headers: Headers) -> Headers:
    """The headers of a message that only says where the data is (CloudEvents' extension ``dataref``)."""
    return [*headers, ("ce_dataref", b"log:%d" % event.position)]


def message_of(headers: Headers, value: bytes | None, generation: bytes) -> Message | None:
    """Read a message back; None when it is not of this generation, or not ours at all."""
    said = dict(headers)
    if said.get("ce_generation") != generation:
        return None
    position, prev = int(said["ce_position"]), int(said["ce_prev"])
    if "ce_dataref" in said or value is None:
        return Message(position, prev, None)
    cause = said.get("ce_causationid")
    event = Recorded(
        position=position,
        stream=UUID(said["ce_subject"].decode()),
        version=int(said["ce_streamversion"]),
        topic=f"{said['ce_type'].decode()}@{said['ce_version'].decode()}",
        data=value,
        organization_id=int(said["ce_organization"]),
        client_id=int(said["ce_client"]),
        contact_id=int(said["ce_contact"]),
        occurred_at=datetime.fromisoformat(said["ce_time"].decode()),
        correlation_id=UUID(said["ce_correlationid"].decode()),
        causation_id=None if cause is None else int(cause),
        source=said["ce_origin"].decode(),
    )
    return Message(position, prev, event)
