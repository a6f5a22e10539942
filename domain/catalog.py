"""Everything that can happen: each event by its topic in the log, each kind of thing by its number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from domain import (
    audience,
    campaign,
    client,
    contact,
    import_job,
    list_send,
    message,
    organization,
    recipient,
    recipient_list,
    template,
    webhook,
)
from domain.decider import EVENT_TYPES, Decider, EventType


def by_topic(types: Iterable[EventType]) -> dict[str, EventType]:
    """Index event types by topic. Raises ValueError when two classes share one: stored events would change meaning."""
    topics: dict[str, EventType] = {}
    for known in types:
        other = topics.setdefault(known.topic, known)
        if other is not known:
            raise ValueError(f"{known.cls.__qualname__} and {other.cls.__qualname__} share the topic {known.topic}")
    return topics


def by_kind(deciders: Iterable[Decider[Any]]) -> dict[int, Decider[Any]]:
    """Index deciders by the kind in their stream ids. Raises ValueError when two share one: streams would mix."""
    kinds: dict[int, Decider[Any]] = {}
    for decider in deciders:
        other = kinds.setdefault(decider.kind, decider)
        if other is not decider:
            raise ValueError(f"{decider.name} and {other.name} share the kind {decider.kind}")
    return kinds


DECIDERS: Final[dict[int, Decider[Any]]] = by_kind(
    [
        organization.decider,
        audience.decider,
        client.decider,
        contact.decider,
        template.decider,
        message.transactional,
        campaign.decider,
        message.of_campaign,
        recipient_list.decider,
        import_job.decider,
        recipient.decider,
        webhook.decider,
        list_send.decider,
    ]
)
EVENTS: Final[dict[str, EventType]] = by_topic(EVENT_TYPES.values())
