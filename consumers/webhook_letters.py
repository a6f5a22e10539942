"""What is sent to webhooks: the event as ``GET /api/events`` gives it, made from the log at the moment of sending.

So an erased person's data goes out redacted, however old the event and however often it is tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from consumers.webhook_claims import Claimed
from domain import audience, client, webhook
from domain.decider import Event
from domain.store import arrays
from domain.store.cloud_event import cloud_event
from domain.store.log import Store
from domain.store.mapper import UnknownEvent
from domain.store.own_events import open_own
from domain.store.recorded import SELECT, Recorded
from domain.webhook import Webhook
from domain.webhook_signing import Secrets

AGENT: Final = "Datamailer-Webhooks"
READ: Final = SELECT + "WHERE notification_id = ANY(%b)"
ENCODER: Final = msgspec.json.Encoder()


class Letter(NamedTuple):
    """A delivery ready to be attempted. ``generations`` are of the secrets that sign."""

    claimed: Claimed
    url: str
    generations: tuple[int, ...]
    body: bytes


class Letters(NamedTuple):
    """What became of claims: some can be sent, some may not be now, some events this version cannot read."""

    ready: list[Letter]
    held: list[Claimed]
    unreadable: list[Claimed]


def compose(store: Store, claims: Sequence[Claimed]) -> Letters:
    """Make the letters of claims. Raises Unavailable and the library's OperationalError."""
    hooks = _open_webhooks(store, {each.webhook_id for each in claims})
    events = _events(store, {each.position for each in claims if each.webhook_id in hooks})
    slugs = _audience_slugs(store, (event for _, event in events.values()))
    letters = Letters([], [], [])
    now = datetime.now(UTC)
    for each in claims:
        hook, found = hooks.get(each.webhook_id), events.get(each.position)
        if hook is None:
            letters.held.append(each)
        elif found is None or found[0].client_id != hook.client_id:
            letters.unreadable.append(each)
        else:
            body = ENCODER.encode(cloud_event(*found, slugs))
            letters.ready.append(Letter(each, hook.url, hook.generations(now), body))
    return letters


def headers(secrets: Secrets, letter: Letter, now: datetime) -> dict[str, str]:
    """The headers of an attempt. The id is the same for each attempt at the event and webhook."""
    webhook_id, position, _ = letter.claimed
    message_id, seconds = f"dm-{webhook_id}-{position}", int(now.timestamp())
    signature = secrets.signatures(
        webhook_id, letter.generations, message_id=message_id, seconds=seconds, body=letter.body
    )
    return {
        "Content-Type": "application/json",
        "User-Agent": AGENT,
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": signature,
    }


def _open_webhooks(store: Store, numbers: set[int]) -> dict[int, Webhook]:
    """Those that are switched on, as is their client: asked of the log, since read models may be behind."""
    loaded = zip(numbers, store.load(webhook.decider, numbers=list(numbers)), strict=True)
    hooks: dict[int, Webhook] = {number: each.state for number, each in loaded if each.state.active}
    owners = list({hook.client_id for hook in hooks.values()})
    states = zip(owners, store.load(client.decider, numbers=owners) if owners else (), strict=True)
    active = {number for number, each in states if each.state.active}
    return {number: hook for number, hook in hooks.items() if hook.client_id in active}


def _events(store: Store, positions: set[int]) -> dict[int, tuple[Recorded, Event]]:
    """The events at the positions; without those that this version of the code cannot decode."""
    recorded = store.recorder.query(READ, (arrays.bigints(positions),)) if positions else []
    try:
        return {r.position: (r, event) for r, event in open_own(store, recorded)}
    except UnknownEvent:
        return {} if len(recorded) == 1 else _one_by_one(store, positions)


def _one_by_one(store: Store, positions: Iterable[int]) -> dict[int, tuple[Recorded, Event]]:
    found: dict[int, tuple[Recorded, Event]] = {}
    for position in positions:
        found |= _events(store, {position})
    return found


def _audience_slugs(store: Store, events: Iterable[Event]) -> dict[int, str]:
    numbers = list({number for event in events if (number := getattr(event, "audience_id", 0))})
    loaded = store.load(audience.decider, numbers=numbers) if numbers else []
    return {number: each.state.slug for number, each in zip(numbers, loaded, strict=True) if each.state.slug}
