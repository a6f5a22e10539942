"""A send to a recipient list too long for one request: accepted as one fact, carried out member by member afterwards.

Its natural key is ``<client number>/<list key>/<idempotency key>``. Each member's message has a key of its own, so
whatever is done again sends nothing twice.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

import msgspec
from msgspec.structs import replace

from domain.decider import Decider, Event, Rejected, event
from domain.message.wishes import Wishes
from domain.sender import Sender

SHOWN_ERRORS: Final = 1_000
"""Members without a message that the state holds; the log has all."""

Status = Literal["running", "finished"]


class Mailing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What all members get. ``key`` is what the keys of their messages begin with."""

    key: str
    template_key: str
    sender: Sender
    audience_id: int = 0
    category_tag: str = ""
    wishes: Wishes = Wishes()
    context: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


class SendCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Members, by what became of them."""

    enqueued: int = 0
    skipped: int = 0
    replayed: int = 0
    failed: int = 0

    def __add__(self, other: SendCounts) -> SendCounts:
        """The counts of both."""
        pairs = zip(self.__struct_fields__, msgspec.structs.astuple(self), msgspec.structs.astuple(other), strict=True)
        return SendCounts(**{name: mine + its for name, mine, its in pairs})


class Unsent(msgspec.Struct, frozen=True, array_like=True):
    """Why a member got no message: the number of its place, and a code for each wrong field."""

    recipient_id: int
    fields: dict[str, str]


@event("list_send.requested")
class ListSendRequested(Event, frozen=True):
    """The client wants a mail to each member, to those with a place up to ``through``.

    ``mailing`` is what all get, sealed by the store: it is nobody's personal data, but may be confidential.
    """

    organization_id: int
    client_id: int
    list_key: str
    template_key: str
    mailing: str
    total: int
    through: int


@event("list_send.progressed")
class ListSendProgressed(Event, frozen=True):
    """The members with a place up to ``after`` are done; ``counts`` are those of them that were not before."""

    after: int
    counts: SendCounts
    errors: tuple[Unsent, ...] = ()


@event("list_send.finished")
class ListSendFinished(Event, frozen=True):
    """Every member is done."""


class RequestListSend(msgspec.Struct, frozen=True, kw_only=True):
    """Ask for it, or once more after its end; quiet while it is on its way."""

    at: datetime
    organization_id: int
    client_id: int
    list_key: str
    template_key: str
    mailing: str
    total: int
    through: int


class RecordSends(msgspec.Struct, frozen=True, kw_only=True):
    """Tell what became of the next members, those up to ``done`` being recorded before.

    Raises Rejected: ``not_running`` on ``status``; ``overtaken`` on ``done`` when somebody else recorded them.
    """

    at: datetime
    done: int
    after: int
    counts: SendCounts
    errors: tuple[Unsent, ...] = ()


class FinishListSend(msgspec.Struct, frozen=True, kw_only=True):
    """Raises Rejected ``not_running`` on ``status``."""

    at: datetime


Command = RequestListSend | RecordSends | FinishListSend


class ListSend(msgspec.Struct, frozen=True):
    """A send, or without a status none yet."""

    organization_id: int = 0
    client_id: int = 0
    list_key: str = ""
    template_key: str = ""
    mailing: str = ""
    total: int = 0
    through: int = 0
    status: Status | None = None
    after: int = 0
    counts: SendCounts = SendCounts()
    errors: tuple[Unsent, ...] = ()
    requested_at: datetime | None = None
    finished_at: datetime | None = None


def decide(state: ListSend, command: Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    if isinstance(command, RequestListSend):
        return () if state.status == "running" else (_requested(command),)
    if state.status != "running":
        raise Rejected("not_running", "status")
    if isinstance(command, FinishListSend):
        return (ListSendFinished(at=command.at),)
    if command.done != state.after:
        raise Rejected("overtaken", "done")
    return (ListSendProgressed(at=command.at, after=command.after, counts=command.counts, errors=command.errors),)


def _requested(command: RequestListSend) -> ListSendRequested:
    return ListSendRequested(
        at=command.at,
        organization_id=command.organization_id,
        client_id=command.client_id,
        list_key=command.list_key,
        template_key=command.template_key,
        mailing=command.mailing,
        total=command.total,
        through=command.through,
    )


def evolve(state: ListSend, event: Event) -> ListSend:
    """Take a fact into account. Never raises."""
    match event:
        case ListSendRequested(at=at):
            scope = (event.organization_id, event.client_id, event.list_key, event.template_key)
            return ListSend(*scope, event.mailing, event.total, event.through, status="running", requested_at=at)
        case ListSendProgressed(after=after, counts=counts):
            errors = state.errors + event.errors[: SHOWN_ERRORS - len(state.errors)]
            return replace(state, after=after, counts=state.counts + counts, errors=errors)
        case ListSendFinished(at=at):
            return replace(state, status="finished", finished_at=at)
    return state


def key_of(client_id: int, list_key: str, idempotency_key: str) -> str:
    """Name the send for the store."""
    return f"{client_id}/{list_key}/{idempotency_key}"


decider: Final = Decider(kind=13, name="list_send", initial=ListSend(), decide=decide, evolve=evolve)
