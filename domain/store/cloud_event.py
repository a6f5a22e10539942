"""Events as clients get them: CloudEvents 1.0 in JSON, with the attributes of the Kafka messages and open data."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.decider import EVENT_TYPES, Event
from domain.personal import Personal
from domain.store.recorded import Recorded

SOURCE: Final = "/datamailer"


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event. ``id`` is its log position as text, which CloudEvents asks for; ``position`` is the number.

    ``version`` is that of the event type whose fields ``data`` has, ``streamversion`` counts within the stream that
    ``subject`` names. ``audience`` is the slug of the audience that the event is about. A text whose key was destroyed
    by an erasure is null.
    """

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: str
    subject: str
    time: datetime
    datacontenttype: Literal["application/json"] = "application/json"
    data: dict[str, Any]
    position: int
    version: str
    streamversion: int
    contact: int | UnsetType = UNSET
    audience: str | UnsetType = UNSET
    correlationid: UUID | UnsetType = UNSET
    causationid: int | UnsetType = UNSET
    origin: str | UnsetType = UNSET


def cloud_event(recorded: Recorded, event: Event, audiences: Mapping[int, str], *, whole: bool = True) -> CloudEvent:
    """The event for a client whose audiences have these slugs. One that is not ``whole`` does not say whose act it was.

    Its data has the fields of the latest version of its type, whichever version was stored.
    """
    known = EVENT_TYPES[type(event)]
    return CloudEvent(
        id=str(recorded.position),
        type=known.name,
        subject=str(recorded.stream),
        time=recorded.occurred_at,
        data=msgspec.to_builtins(event, enc_hook=open_text),
        position=recorded.position,
        version=str(known.version),
        streamversion=recorded.version,
        contact=recorded.contact_id or UNSET,
        audience=audiences.get(getattr(event, "audience_id", 0), UNSET),
        correlationid=recorded.correlation_id if whole else UNSET,
        causationid=UNSET if recorded.causation_id is None or not whole else recorded.causation_id,
        origin=recorded.source if whole else UNSET,
    )


def open_text(value: object) -> str | None:
    """The text of a personal field; None when its key is gone. Raises NotImplementedError for anything else."""
    if isinstance(value, Personal):
        return None if value.redacted else value.text
    raise NotImplementedError(type(value))
