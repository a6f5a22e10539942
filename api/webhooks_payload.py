"""What a client says of its webhooks, and what it is told of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta, UnsetType

from api.errors import not_found
from domain.catalog import EVENTS
from domain.webhook import DESCRIPTION_LIMIT, TYPES_LIMIT, OffReason, Webhook

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
