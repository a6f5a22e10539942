"""The way out of a list: a page to pick how much to leave, and the one click of RFC 8058. Only a POST leaves."""

from __future__ import annotations

import asyncio
from typing import Any, Final, get_args
from urllib.parse import parse_qsl
from uuid import UUID

from msgspec.structs import replace

from api import unsubscribe_page as pages
from api.answer import Answer
from api.call import Call
from api.commands import load
from api.errors import Invalid, not_found
from api.imports_multipart import Form
from api.unsubscribe_page import Choice
from domain import contact, message
from domain.contact import Contact, UnsubscribeScope
from domain.decider import Event, Rejected
from domain.links import UnsubscribeLink
from domain.store.mail_owners import NUMBER, decider_of
from domain.store.order import Accepted, Contended, Context, Failed, Order, Unavailable

BODY_LIMIT: Final = 16 * 1024
FIELDS_LIMIT: Final = 20
ONE_CLICK: Final = ("List-Unsubscribe", "One-Click")
FORM: Final = "application/x-www-form-urlencoded"
MULTIPART: Final = "multipart/form-data"
NO_FILES: Final[frozenset[str]] = frozenset()
HTML: Final = "text/html"


async def show(call: Call) -> Answer:
    """Show what the person can leave, and has left. Nothing is left by looking: programs follow links too."""
    try:
        found = await find(call)
    except (Unavailable, Contended):
        return pages.unreachable()
    if found is None:
        return pages.gone()
    link, state = found
    return pages.page(pages.LEAVING, address=address_of(state), choices=choices(call, link, state))


async def leave(call: Call) -> Answer:
    """Leave at the scope that the form names, or by one click (RFC 8058) the client's list."""
    said = fields_of(call.header(b"content-type") or FORM, await call.read(BODY_LIMIT))
    try:
        found = await find(call)
        if found is None:
            return refused(call, not_found("token"), pages.gone())
        link, state = found
        scope = scope_of(said, scopes_of(link))
        if scope is None:
            code = "invalid" if "scope" in said else "required"
            return refused(call, Invalid({"scope": code}), unclear(call, link, state))
        state = await record(call, link, state, scope)
    except (Unavailable, Contended) as error:
        return refused(call, error, pages.unreachable())
    left = choices(call, link, state)
    name = next(choice.name for choice in left if choice.scope == scope)
    more = [choice for choice in left if not choice.left]
    return pages.page(pages.LEFT, done=f"Done: {name}.", address=address_of(state), choices=more)


async def find(call: Call) -> tuple[UnsubscribeLink, Contact] | None:
    """What the token names, and the contact; None for a foreign token, or when the organization knows nobody there."""
    link = call.wiring.site.signer.unsubscribing(call.given_names["token"])
    if link is None:
        return None
    state: Contact = (await load(call, contact.decider, number=link.contact_id)).state
    return (link, state) if is_known(state, link.organization_id) else None


def is_known(state: Contact, organization_id: int) -> bool:
    """Whether the contact is there, and the organization has a relation with it."""
    return state.email is not None and organization_id in state.organizations


def fields_of(content_type: str, body: bytes) -> dict[str, str]:
    """The fields of a form in either encoding; those that cannot be read count as none. Raises Invalid."""
    if content_type.lower().startswith(MULTIPART):
        form = Form(content_type, NO_FILES, len)
        form.feed(body)
        return dict(form.fields)
    try:
        return dict(parse_qsl(body.decode("ascii", "replace"), max_num_fields=FIELDS_LIMIT))
    except ValueError:
        raise Invalid({"body": "invalid"}) from None


def scopes_of(link: UnsubscribeLink) -> tuple[UnsubscribeScope, ...]:
    """The scopes that the mail can be left at, the narrowest first."""
    scopes: tuple[UnsubscribeScope, ...] = get_args(UnsubscribeScope)
    return scopes if link.audience_id else ("global",)


def scope_of(said: dict[str, str], scopes: tuple[UnsubscribeScope, ...]) -> UnsubscribeScope | None:
    """The scope that the form names; the narrowest for one click."""
    if said.get(ONE_CLICK[0], "").strip() == ONE_CLICK[1] and "scope" not in said:
        return scopes[0]
    return next((scope for scope in scopes if scope == said.get("scope")), None)


def choices(call: Call, link: UnsubscribeLink, state: Contact) -> list[Choice]:
    """The scopes in the words of the person who reads."""
    directory = call.wiring.directory.now
    clients = (each.name for each in directory.clients.values() if each.number == link.client_id)
    audiences = (each.name for each in directory.audiences.values() if each.number == link.audience_id)
    names: dict[UnsubscribeScope, str] = {
        "client": f"Mail from {next(clients, 'this sender')}",
        "audience": f"Everything sent to {next(audiences, 'this list')}",
        "global": "All newsletters and announcements, from everybody who writes through this service",
    }
    left: dict[UnsubscribeScope, bool] = {
        "client": has_left(state, link.audience_id, link.client_id),
        "audience": has_left(state, link.audience_id, 0),
        "global": bool(state.global_unsubscribes),
    }
    scopes = scopes_of(link)
    first = next((scope for scope in scopes if not left[scope]), "")
    return [Choice(scope, names[scope], left[scope], scope == first) for scope in scopes]


def has_left(state: Contact, audience_id: int, client_id: int) -> bool:
    """Whether the subscription of the scope was ended."""
    own = state.subscriptions.get((audience_id, client_id))
    return own is not None and own.status == "unsubscribed"


def address_of(state: Contact) -> str:
    """The address as the page shows it."""
    return pages.masked("" if state.email is None else state.email.text)


def unclear(call: Call, link: UnsubscribeLink, state: Contact) -> Answer:
    """The page once more, for it was not said what to leave."""
    problem = "Please choose what you want to leave."
    return pages.page(
        pages.LEAVING, status=400, problem=problem, address=address_of(state), choices=choices(call, link, state)
    )


def refused(call: Call, error: Exception, answer: Answer) -> Answer:
    """A page for a person; a program that posts gets the error as every other. Raises the error then."""
    if HTML in (call.header(b"accept") or ""):
        return answer
    raise error


async def record(call: Call, link: UnsubscribeLink, state: Contact, scope: UnsubscribeScope) -> Contact:
    """Record it with the contact, and with the message that led there; gives the contact as it is then.

    Raises Unavailable and Contended; Invalid ``not_found`` when the contact was erased meanwhile.
    """
    out = contact.Unsubscribe(
        at=call.now,
        organization_id=link.organization_id,
        audience_id=link.audience_id,
        client_id=link.client_id,
        email="" if state.email is None else state.email.text,
        scope=scope,
    )
    told = message.RecordUnsubscribe(at=call.now, scope=scope)
    outcomes = await asyncio.gather(*map(call.wiring.writer.submit, orders_of(link, out, told, call.correlation_id)))
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    if not isinstance(outcomes[0], Accepted):
        raise not_found("token")
    after: Contact = outcomes[0].state
    return after


def orders_of(
    link: UnsubscribeLink, out: contact.Unsubscribe, told: message.RecordUnsubscribe, correlation_id: UUID
) -> tuple[Order, Order]:
    """The orders to the contact and to the message."""
    context = Context(
        organization_id=link.organization_id, client_id=link.client_id, correlation_id=correlation_id, source="person"
    )
    number = link.stream.int & NUMBER
    return (
        Order(decider=KNOWN, number=link.contact_id, command=out, context=context),
        Order(
            decider=decider_of(link.stream), number=number, command=told, context=context, contact_id=link.contact_id
        ),
    )


def decide_known(state: Contact, command: Any) -> tuple[Event, ...]:
    """Decide for a contact that is known: one erased meanwhile is not registered again by leaving.

    Raises Rejected ``not_found`` on ``token``.
    """
    if not is_known(state, command.organization_id):
        raise Rejected("not_found", "token")
    return contact.decide(state, command)


KNOWN: Final = replace(contact.decider, decide=decide_known)
