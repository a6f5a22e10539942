"""A client's webhooks: where its events are delivered. A signing secret is shown when it is made, and never again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, LiteralString

import msgspec
from msgspec import UNSET, Meta, UnsetType
from msgspec.structs import replace

from api.answer import ENCODER, Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.errors import Invalid, not_found
from api.fields import said
from domain import webhook
from domain.catalog import EVENTS
from domain.store.order import Accepted
from domain.webhook import DESCRIPTION_LIMIT, TYPES_LIMIT, OffReason, Webhook, WebhookCreated
from domain.webhook_signing import PURPOSE, Secrets

PROJECTION: Final = "webhooks"
MOST: Final = 20
"""Webhooks that a client may have."""

SELECT: LiteralString = """
SELECT webhook_id, key, url, types, description, off, created_at, updated_at FROM webhooks
WHERE client_id = %s AND NOT deleted AND (off IS NULL) = coalesce(%s, off IS NULL) ORDER BY key
"""
OTHERS: LiteralString = "SELECT count(*) FROM webhooks WHERE client_id = %s AND NOT deleted AND key <> %s"
DELIVERIES: LiteralString = """
SELECT count(*) FILTER (WHERE dead_at IS NULL), count(dead_at),
    (array_agg(error ORDER BY next_at DESC) FILTER (WHERE error IS NOT NULL))[1]
FROM (
    SELECT dead_at, error, next_at FROM webhook_deliveries d JOIN webhooks w USING (webhook_id)
    WHERE webhook_id = %s AND d.position > w.since LIMIT 10000) AS own
"""
KNOWN: Final = frozenset(known.name for known in EVENTS.values())


def unknown_type(name: str) -> str | None:
    """Refuse what is no name of an event."""
    return None if name in KNOWN else "invalid"


EventName = Annotated[str, Meta(extra={"check": unknown_type, "checked_codes": ("invalid",)})]


class SaveWebhook(msgspec.Struct, kw_only=True):
    """Where to deliver, https only. ``types`` are names of events, none for all; what is not said stays as it is."""

    url: Annotated[str, Meta(extra={"trim": True})]
    types: Annotated[list[EventName], Meta(max_length=TYPES_LIMIT)] | UnsetType = UNSET
    description: Annotated[str, Meta(max_length=DESCRIPTION_LIMIT)] | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


class WebhookQuery(msgspec.Struct, kw_only=True):
    """All webhooks, or those that are switched on or off."""

    is_active: bool | UnsetType = UNSET


class WebhookPayload(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. ``switched_off`` says by whom: the ``client``, or the receiver by saying that it is ``gone`` (410)."""

    id: int
    key: str
    url: str
    types: list[str]
    description: str
    is_active: bool
    switched_off: OffReason | None
    created_at: datetime
    updated_at: datetime


class Webhooks(msgspec.Struct, frozen=True):
    """The client's webhooks by key."""

    webhooks: list[WebhookPayload]
    count: int


class Deliveries(msgspec.Struct, frozen=True):
    """What has not arrived, counted up to 10,000: ``waiting`` for an attempt, or ``given_up``; and one failure."""

    waiting: int
    given_up: int
    last_error: str | None


class WebhookAnswer(msgspec.Struct, frozen=True):
    """One webhook, and what is on its way to it."""

    webhook: WebhookPayload
    deliveries: Deliveries


class SavedWebhook(msgspec.Struct, frozen=True, omit_defaults=True):
    """The webhook as it is now, and whether this request made it; then with its secret (``whsec_`` and base64)."""

    webhook: WebhookPayload
    created: bool
    secret: str | UnsetType = UNSET


class RotatedSecret(msgspec.Struct, frozen=True, omit_defaults=True):
    """The new secret, and until when the one before signs too. Where an Idempotency-Key repeats it, no secret."""

    webhook: WebhookPayload
    previous_until: datetime
    secret: str | UnsetType = UNSET


class TestedWebhook(msgspec.Struct, frozen=True):
    """The event ``webhook.pinged`` that is on its way: its ``id`` as it will stand in the delivery."""

    webhook: WebhookPayload
    event_id: str


class DeletedWebhook(msgspec.Struct, frozen=True):
    """It is gone, with what was waiting for it."""

    key: str
    deleted: bool


def payload(number: int, state: Webhook) -> WebhookPayload:
    """A webhook that exists."""
    if state.created_at is None or state.updated_at is None:
        raise not_found("key")
    return WebhookPayload(
        id=number,
        key=state.key,
        url=state.url,
        types=list(state.types),
        description=state.description,
        is_active=state.active,
        switched_off=state.off,
        created_at=state.created_at,
        updated_at=state.updated_at,
    )


async def list_own(call: Call, given: WebhookQuery) -> Answer:
    """The client's webhooks."""
    async with call.wiring.reads.connection() as connection:
        asked = (call.caller.number, said(given.is_active))
        rows = await (await connection.execute(SELECT, asked, prepare=True)).fetchall()
    found = [
        WebhookPayload(
            id=number,
            key=key,
            url=url,
            types=types,
            description=description,
            is_active=off is None,
            switched_off=off,
            created_at=created_at,
            updated_at=updated_at,
        )
        for number, key, url, types, description, off, created_at, updated_at in rows
    ]
    return json_answer(Webhooks(found, len(found)), position=call.reflected)


async def show(call: Call) -> Answer:
    """One of the client's webhooks."""
    loaded = await load(call, webhook.decider, key=natural_key(call))
    if not loaded.state.url:
        raise not_found("key")
    async with call.wiring.reads.connection() as connection:
        row = await (await connection.execute(DELIVERIES, (loaded.number,), prepare=True)).fetchone()
    answer = WebhookAnswer(payload(loaded.number, loaded.state), Deliveries(*row or (0, 0, None)))
    return json_answer(answer, position=loaded.position)


async def save(call: Call, given: SaveWebhook) -> Answer:
    """Make a webhook, which gets the events from here on, or change it."""
    await check_count(call)
    command = webhook.SaveWebhook(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        key=call.given_names["key"],
        url=given.url,
        types=None if given.types is UNSET else tuple(given.types),
        description=said(given.description),
        is_active=said(given.is_active),
        private_hosts=call.wiring.settings.private_hosts,
    )

    def render(done: Accepted) -> Answer:
        created = any(isinstance(event, WebhookCreated) for event in done.events)
        secret = shown_secret(call, done) if created else UNSET
        saved = SavedWebhook(payload(done.number, done.state), created, secret)
        return json_answer(saved, status=201 if created else 200, position=done.position)

    return await submit(call, webhook.decider, command, render, key=natural_key(call))


async def delete(call: Call) -> Answer:
    """Remove a webhook, with what was waiting for it."""

    def render(done: Accepted) -> Answer:
        return json_answer(DeletedWebhook(call.given_names["key"], deleted=True), position=done.position)

    return await tell(call, webhook.DeleteWebhook(at=call.now), render)


async def rotate(call: Call) -> Answer:
    """Make a new secret; the one before signs beside it for 24 hours."""

    def render(done: Accepted) -> Answer:
        rotated = RotatedSecret(payload(done.number, done.state), done.state.old_secrets[-1].until)
        answer = json_answer(replace(rotated, secret=shown_secret(call, done)), position=done.position)
        return replace(answer, kept=ENCODER.encode(rotated))

    return await tell(call, webhook.RotateSecret(at=call.now), render)


async def ping(call: Call) -> Answer:
    """Send an event to this webhook alone, whatever its types. Refused while it is switched off."""

    def render(done: Accepted) -> Answer:
        tested = TestedWebhook(payload(done.number, done.state), str(done.position))
        return json_answer(tested, status=202, position=done.position)

    return await tell(call, webhook.PingWebhook(at=call.now), render)


async def tell(call: Call, command: Any, render: Any) -> Answer:
    """Carry out a command for the webhook that the path names. Raises Invalid ``not_found`` on ``key``."""
    return await submit(call, webhook.decider, command, render, key=natural_key(call))


async def check_count(call: Call) -> None:
    """Raises Invalid ``too_many`` when the client has its fill of others."""
    async with call.wiring.reads.connection() as connection:
        asked = (call.caller.number, call.given_names["key"])
        row = await (await connection.execute(OTHERS, asked, prepare=True)).fetchone()
    if row and row[0] >= MOST:
        raise Invalid({"key": "too_many"})


def natural_key(call: Call) -> str:
    """Whose webhook the path names."""
    return webhook.natural_key(call.caller.number, call.given_names["key"])


def shown_secret(call: Call, done: Accepted) -> str:
    """The secret that signs now."""
    return Secrets(call.wiring.store.keyring.secret(PURPOSE)).shown(done.number, done.state.generation)
