"""What can happen to a webhook."""

from __future__ import annotations

from typing import Literal

from domain.decider import Event, event

OffReason = Literal["client", "gone"]
"""Who switched a webhook off: its client, or the receiver by an answer of 410."""


@event("webhook.created")
class WebhookCreated(Event, frozen=True):
    """The client wants its events at the URL from here on; of these ``types``, or of all when there are none."""

    organization_id: int
    client_id: int
    key: str
    url: str
    generation: int
    types: tuple[str, ...] = ()
    description: str = ""


@event("webhook.revised")
class WebhookRevised(Event, frozen=True):
    """It leads elsewhere, or other events are wanted."""

    url: str
    types: tuple[str, ...] = ()
    description: str = ""


@event("webhook.switched_on")
class WebhookSwitchedOn(Event, frozen=True):
    """Events are delivered again, those from here on and those that were waiting."""


@event("webhook.switched_off")
class WebhookSwitchedOff(Event, frozen=True):
    """Nothing is delivered any more, for the time being."""

    reason: OffReason


@event("webhook.secret_rotated")
class WebhookSecretRotated(Event, frozen=True):
    """Another secret signs; the one before signs too, for 24 hours."""

    generation: int


@event("webhook.pinged")
class WebhookPinged(Event, frozen=True):
    """The client tries the webhook out: this event goes to it alone, whatever its types."""


@event("webhook.deleted")
class WebhookDeleted(Event, frozen=True):
    """It is gone, and what was waiting for it with it."""
