"""A client's webhooks: where its events are delivered. A signing secret is shown when it is made, and never again."""

from __future__ import annotations

from typing import Any, Final, LiteralString

from msgspec import UNSET
from msgspec.structs import replace

from api.answer import ENCODER, Answer, json_answer
from api.call import Call
from api.commands import load, submit
from api.errors import Invalid, not_found
from api.fields import said
from api.webhooks_payload import (
    DeletedWebhook,
    Deliveries,
    RotatedSecret,
    SavedWebhook,
    SaveWebhook,
    TestedWebhook,
    WebhookAnswer,
    WebhookPayload,
    WebhookQuery,
    Webhooks,
    payload,
)
from domain import webhook
from domain.store.order import Accepted
from domain.webhook import WebhookCreated
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
