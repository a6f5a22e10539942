"""The client: an application that calls the API with named keys on behalf of its organization (seeds, Clients)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import msgspec

from domain.decider import Decider, Event, Rejected, event
from domain.naming import check_names, check_present
from domain.sender import Sender, check_senders


@event("client.created")
class ClientCreated(Event, frozen=True):
    """The client came to be, switched on. Its slug identifies it within the organization for good."""

    organization_id: int
    slug: str
    name: str


@event("client.renamed")
class ClientRenamed(Event, frozen=True):
    """The client is displayed under another name."""

    name: str


@event("client.deactivated")
class ClientDeactivated(Event, frozen=True):
    """The client was switched off: it can make no calls."""


@event("client.activated")
class ClientActivated(Event, frozen=True):
    """The client was switched on again."""


@event("client.api_key_issued")
class ApiKeyIssued(Event, frozen=True):
    """A key was made for the client. Only its keyed hash is kept; the key itself was shown once."""

    public_id: str
    key_hash: str
    name: str
    notes: str = ""


@event("client.api_key_revoked")
class ApiKeyRevoked(Event, frozen=True):
    """A key opens nothing any more. Its name is free again."""

    public_id: str


@event("client.senders_replaced")
class SendersReplaced(Event, frozen=True):
    """The client's mail is from these from now on, from the default one where a request names none."""

    senders: tuple[Sender, ...] = ()
    default_sender_id: str = ""


class CreateClient(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``duplicate`` on ``slug`` when it exists; what ``check_names`` refuses."""

    at: datetime
    organization_id: int
    slug: str
    name: str


class RenameClient(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected: ``not_found`` on ``slug``; ``required`` or ``too_long`` on ``name``."""

    at: datetime
    name: str


class DeactivateClient(msgspec.Struct, frozen=True, kw_only=True):
    """Switch the client off. Raises Rejected ``not_found`` on ``slug``."""

    at: datetime


class ActivateClient(msgspec.Struct, frozen=True, kw_only=True):
    """Switch the client on. Raises Rejected ``not_found`` on ``slug``."""

    at: datetime


class IssueApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """Keep a key that ``domain.api_key`` made.

    Raises Rejected: ``not_found`` on ``slug``; ``required``, ``too_long`` or, with an active key of that name,
    ``duplicate`` on ``name``; ``duplicate`` on ``public_id`` when the client ever had it.
    """

    at: datetime
    public_id: str
    key_hash: str
    name: str
    notes: str = ""


class RevokeApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """Revoke a key; quiet when it was revoked before. Raises Rejected ``not_found`` on ``slug`` or ``public_id``."""

    at: datetime
    public_id: str


class ReplaceSenders(msgspec.Struct, frozen=True, kw_only=True):
    """Have exactly these senders. Raises Rejected: ``not_found`` on ``slug``; what ``check_senders`` refuses."""

    at: datetime
    senders: tuple[Sender, ...]
    default_sender_id: str


Command = CreateClient | RenameClient | DeactivateClient | ActivateClient | IssueApiKey | RevokeApiKey | ReplaceSenders


class ApiKey(msgspec.Struct, frozen=True):
    """A named key. ``revoked_at`` is None while it is active."""

    key_hash: str
    name: str
    notes: str
    issued_at: datetime
    revoked_at: datetime | None = None


class Client(msgspec.Struct, frozen=True):
    """An application, or with an empty slug none yet. ``keys`` are by public id, revoked ones included."""

    organization_id: int = 0
    slug: str = ""
    name: str = ""
    active: bool = False
    keys: dict[str, ApiKey] = {}
    senders: tuple[Sender, ...] = ()
    default_sender_id: str = ""


def decide(state: Client, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if isinstance(command, CreateClient):
        return _create(state, command)
    if not state.slug:
        raise Rejected("not_found", "slug")
    match command:
        case RenameClient(at=at, name=name):
            check_present(name)
            return () if name == state.name else (ClientRenamed(at=at, name=name),)
        case DeactivateClient(at=at):
            return (ClientDeactivated(at=at),) if state.active else ()
        case ActivateClient(at=at):
            return () if state.active else (ClientActivated(at=at),)
        case IssueApiKey():
            return _issue(state, command)
        case RevokeApiKey():
            return _revoke(state, command)
        case ReplaceSenders():
            return _replace_senders(state, command)


def _create(state: Client, command: CreateClient) -> tuple[Event, ...]:
    check_names(taken=bool(state.slug), slug=command.slug, name=command.name)
    created = ClientCreated(
        at=command.at, organization_id=command.organization_id, slug=command.slug, name=command.name
    )
    return (created,)


def _issue(state: Client, command: IssueApiKey) -> tuple[Event, ...]:
    check_present(command.name)
    if any(key.name == command.name and key.revoked_at is None for key in state.keys.values()):
        raise Rejected("duplicate", "name")
    if command.public_id in state.keys:
        raise Rejected("duplicate", "public_id")
    issued = ApiKeyIssued(
        at=command.at,
        public_id=command.public_id,
        key_hash=command.key_hash,
        name=command.name,
        notes=command.notes,
    )
    return (issued,)


def _revoke(state: Client, command: RevokeApiKey) -> tuple[Event, ...]:
    key = state.keys.get(command.public_id)
    if key is None:
        raise Rejected("not_found", "public_id")
    return (ApiKeyRevoked(at=command.at, public_id=command.public_id),) if key.revoked_at is None else ()


def _replace_senders(state: Client, command: ReplaceSenders) -> tuple[Event, ...]:
    senders, default = check_senders(command.senders, command.default_sender_id), command.default_sender_id
    if (senders, default) == (state.senders, state.default_sender_id):
        return ()
    return (SendersReplaced(at=command.at, senders=senders, default_sender_id=default),)


def evolve(state: Client, event: Event) -> Client:
    """Take a fact into account. Never raises."""
    replace = msgspec.structs.replace
    match event:
        case ClientCreated(organization_id=organization_id, slug=slug, name=name):
            return Client(organization_id, slug, name, active=True)
        case ClientRenamed(name=name):
            return replace(state, name=name)
        case ClientDeactivated():
            return replace(state, active=False)
        case ClientActivated():
            return replace(state, active=True)
        case ApiKeyIssued(at=at, public_id=public_id, key_hash=key_hash, name=name, notes=notes):
            return replace(state, keys={**state.keys, public_id: ApiKey(key_hash, name, notes, at)})
        case ApiKeyRevoked(at=at, public_id=public_id) if public_id in state.keys:
            revoked = replace(state.keys[public_id], revoked_at=at)
            return replace(state, keys={**state.keys, public_id: revoked})
        case SendersReplaced(senders=senders, default_sender_id=default):
            return replace(state, senders=senders, default_sender_id=default)
    return state


decider: Final = Decider(kind=3, name="client", initial=Client(), decide=decide, evolve=evolve, snapshot_version=2)
