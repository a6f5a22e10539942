"""The webhook: where a client wants its events delivered, which of them, and which secret signs them.

Its natural key is ``<client number>/<key>``. Secrets are derived (``domain.webhook_signing``): what is kept here is
their generation alone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import msgspec
from msgspec.structs import replace

from domain.decider import Decider, Event, Rejected
from domain.destination import MAX_URL, destination
from domain.mailbox import has_control
from domain.naming import LIMIT as KEY_LIMIT
from domain.slug import is_slug
from domain.webhook_commands import Command, DeleteWebhook, PingWebhook, RotateSecret, SaveWebhook, SwitchOffGone
from domain.webhook_facts import (
    OffReason,
    WebhookCreated,
    WebhookDeleted,
    WebhookPinged,
    WebhookRevised,
    WebhookSecretRotated,
    WebhookSwitchedOff,
    WebhookSwitchedOn,
)

__all__ = [
    "DESCRIPTION_LIMIT",
    "MOST_OLD_SECRETS",
    "OVERLAP",
    "TYPES_LIMIT",
    "Command",
    "DeleteWebhook",
    "OffReason",
    "OldSecret",
    "PingWebhook",
    "RotateSecret",
    "SaveWebhook",
    "SwitchOffGone",
    "Webhook",
    "WebhookCreated",
    "WebhookDeleted",
    "WebhookPinged",
    "WebhookRevised",
    "WebhookSecretRotated",
    "WebhookSwitchedOff",
    "WebhookSwitchedOn",
    "decide",
    "decider",
    "evolve",
    "natural_key",
    "url_problem",
]

TYPES_LIMIT: Final = 100
DESCRIPTION_LIMIT: Final = 1000
OVERLAP: Final = timedelta(hours=24)
"""How long a secret signs beside the one that replaced it."""
MOST_OLD_SECRETS: Final = 3


class OldSecret(msgspec.Struct, frozen=True):
    """A generation that signs until then."""

    generation: int
    until: datetime


class Webhook(msgspec.Struct, frozen=True):
    """A webhook, or with an empty URL none (yet, or any more). ``generation`` counts its secrets for good."""

    organization_id: int = 0
    client_id: int = 0
    key: str = ""
    url: str = ""
    types: tuple[str, ...] = ()
    description: str = ""
    generation: int = 0
    old_secrets: tuple[OldSecret, ...] = ()
    off: OffReason | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def active(self) -> bool:
        """Whether events are delivered."""
        return bool(self.url) and self.off is None

    def generations(self, now: datetime) -> tuple[int, ...]:
        """Those that sign at a time, the newest first."""
        return (self.generation, *(old.generation for old in reversed(self.old_secrets) if old.until > now))


def url_problem(url: str, *, private_hosts: bool) -> str:
    """Give the code of what is wrong with a URL; empty when nothing is. Its host is looked up when it is called."""
    if not url.strip():
        return "required"
    if len(url) > MAX_URL:
        return "too_long"
    if "#" in url or has_control(url):
        return "invalid"
    try:
        destination(url, private_hosts=private_hosts)
    except Rejected:
        return "unsupported"
    return ""


def decide(state: Webhook, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    match command:
        case SaveWebhook():
            return _save(state, command)
        case SwitchOffGone(at=at, url=url):
            known = state.active and state.url == url
            return (WebhookSwitchedOff(at=at, reason="gone"),) if known else ()
    if not state.url:
        raise Rejected("not_found", "key")
    match command:
        case RotateSecret(at=at):
            return (WebhookSecretRotated(at=at, generation=state.generation + 1),)
        case PingWebhook(at=at):
            if not state.active:
                raise Rejected("switched_off", "key")
            return (WebhookPinged(at=at),)
        case DeleteWebhook(at=at):
            return (WebhookDeleted(at=at),)


def _save(state: Webhook, command: SaveWebhook) -> tuple[Event, ...]:
    if wrong := _problems(command):
        raise Rejected.of(wrong)
    types = state.types if command.types is None else tuple(sorted(set(command.types)))
    description = state.description if command.description is None else command.description
    return (*_content(state, command, types, description), *_switch(state, command))


def _content(state: Webhook, command: SaveWebhook, types: tuple[str, ...], description: str) -> tuple[Event, ...]:
    if not state.url:
        created = WebhookCreated(
            at=command.at,
            organization_id=command.organization_id,
            client_id=command.client_id,
            key=command.key,
            url=command.url,
            generation=state.generation + 1,
            types=types,
            description=description,
        )
        return (created,)
    if (command.url, types, description) == (state.url, state.types, state.description):
        return ()
    return (WebhookRevised(at=command.at, url=command.url, types=types, description=description),)


def _switch(state: Webhook, command: SaveWebhook) -> tuple[Event, ...]:
    was = state.active or not state.url
    if command.is_active is None or command.is_active == was:
        return ()
    if command.is_active:
        return (WebhookSwitchedOn(at=command.at),)
    return (WebhookSwitchedOff(at=command.at, reason="client"),)


def _problems(command: SaveWebhook) -> dict[str, str]:
    wrong = {}
    if not is_slug(command.key):
        wrong["key"] = "invalid"
    elif len(command.key) > KEY_LIMIT:
        wrong["key"] = "too_long"
    if code := url_problem(command.url, private_hosts=command.private_hosts):
        wrong["url"] = code
    if len(command.types or ()) > TYPES_LIMIT:
        wrong["types"] = "too_many"
    if len(command.description or "") > DESCRIPTION_LIMIT:
        wrong["description"] = "too_long"
    elif has_control(command.description or ""):
        wrong["description"] = "invalid"
    return wrong


def evolve(state: Webhook, event: Event) -> Webhook:
    """Take a fact into account. Never raises."""
    match event:
        case WebhookCreated():
            return _created(event)
        case WebhookRevised(at=at, url=url, types=types, description=description):
            return replace(state, url=url, types=types, description=description, updated_at=at)
        case WebhookSwitchedOn(at=at):
            return replace(state, off=None, updated_at=at)
        case WebhookSwitchedOff(at=at, reason=reason):
            return replace(state, off=reason, updated_at=at)
        case WebhookSecretRotated(at=at, generation=generation):
            signing = (*(old for old in state.old_secrets if old.until > at), OldSecret(state.generation, at + OVERLAP))
            return replace(state, generation=generation, old_secrets=signing[-MOST_OLD_SECRETS:], updated_at=at)
        case WebhookDeleted():
            return Webhook(generation=state.generation)
    return state


def _created(event: WebhookCreated) -> Webhook:
    return Webhook(
        event.organization_id,
        event.client_id,
        event.key,
        event.url,
        event.types,
        event.description,
        event.generation,
        created_at=event.at,
        updated_at=event.at,
    )


def natural_key(client_id: int, key: str) -> str:
    """Name the webhook for the store."""
    return f"{client_id}/{key}"


decider: Final = Decider(kind=12, name="webhook", initial=Webhook(), decide=decide, evolve=evolve)
