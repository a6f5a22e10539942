"""Events of a client's own scope as it gets them, with the slugs of its audiences."""

from __future__ import annotations

from collections.abc import Iterable

from api.directory import Directory
from domain.store.cloud_event import CloudEvent, cloud_event
from domain.store.history import Opened


def cloud_events(events: Iterable[Opened], directory: Directory) -> list[CloudEvent]:
    """Events of a client's own scope."""
    audiences = audience_slugs(directory)
    return [cloud_event(recorded, event, audiences) for recorded, event in events]


def audience_slugs(directory: Directory) -> dict[int, str]:
    """The slugs of all audiences by their numbers."""
    return {audience.number: audience.slug for audience in directory.audiences.values()}
