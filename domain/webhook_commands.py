"""What a webhook can be asked."""

from __future__ import annotations

from datetime import datetime

import msgspec


class SaveWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Create the webhook or change it; what is None stays as it is. ``private_hosts`` allows URLs within one's network.

    Raises Rejected: ``invalid`` or ``too_long`` on ``key``; ``required``, ``invalid``, ``unsupported`` or ``too_long``
    on ``url``; ``too_many`` on ``types``; ``invalid`` or ``too_long`` on ``description``.
    """

    at: datetime
    organization_id: int
    client_id: int
    key: str
    url: str
    types: tuple[str, ...] | None = None
    description: str | None = None
    is_active: bool | None = None
    private_hosts: bool = False


class SwitchOffGone(msgspec.Struct, frozen=True, kw_only=True):
    """The receiver at ``url`` is gone for good (410); quiet when the webhook leads elsewhere or is off already."""

    at: datetime
    url: str


class RotateSecret(msgspec.Struct, frozen=True, kw_only=True):
    """Sign with a new secret. Raises Rejected ``not_found`` on ``key``."""

    at: datetime


class PingWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Send an event to it alone. Raises Rejected on ``key``: ``not_found``; ``switched_off`` while it is."""

    at: datetime


class DeleteWebhook(msgspec.Struct, frozen=True, kw_only=True):
    """Remove it. Raises Rejected ``not_found`` on ``key``."""

    at: datetime


Command = SaveWebhook | SwitchOffGone | RotateSecret | PingWebhook | DeleteWebhook
