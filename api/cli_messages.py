"""Commands about mail that SES never answered for: which it is, and letting go again what SES is known not to have."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, LiteralString, NamedTuple, TypeVar

import psycopg

from api.cli_output import CommandError, say, table
from api.cli_tenants import client_named, tenants
from api.directory import Directory
from config.settings import Settings
from domain import campaign, message
from domain.campaign import Campaign
from domain.decider import Decider
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome

Item = TypeVar("Item")
ALL: Final = "all"
TRANSACTIONAL: Final = "transactional"
"""Stands for a client's mail that is of no campaign."""
CHUNK: Final = 2_000
OF_CAMPAIGN: LiteralString = """
SELECT contact_id, contact_id FROM campaign_recipients
WHERE campaign_id = %s AND status = 'unconfirmed' ORDER BY contact_id
"""
OF_CLIENT: LiteralString = """
SELECT message_id, contact_id FROM messages WHERE client_id = %s AND status = 'unconfirmed' ORDER BY message_id
"""


class Unconfirmed(NamedTuple):
    """A mail that SES may have or not, and when SES was asked.

    ``id`` is what operators name it by: the contact's id in a campaign, else the message's. ``number`` is the stream's.
    """

    id: int
    number: int
    contact_id: int
    attempted_at: datetime | None


class Mails(NamedTuple):
    """The mails in question: of which kind, whose, what their ids are ids of, and which SES never answered for."""

    decider: Decider[Any]
    context: Context
    noun: str
    found: list[Unconfirmed]


def show(settings: Settings, given: Namespace) -> None:
    """Show the mails of a campaign, or a client's transactional ones, that SES never answered for."""
    with tenants(settings) as (store, directory):
        mails = mails_named(store, directory, given)
    rows = [(str(each.id), f"{each.attempted_at:%Y-%m-%d %H:%M:%S}Z") for each in mails.found]
    table((mails.noun, "asked"), rows)


def release(settings: Settings, given: Namespace) -> None:
    """Have mails that SES is known not to have sent after all."""
    with tenants(settings) as (store, directory):
        mails = mails_named(store, directory, given)
        known = {each.id: each for each in mails.found}
        wanted = list(known) if given.ids == ALL else ids_in(given.ids, mails.noun)
        if strangers := sorted(set(wanted) - set(known)):
            raise CommandError(f"{mails.noun}s: not unconfirmed: {', '.join(map(str, strangers))}")
        released = let_go(store, mails, [known[each] for each in wanted])
    say(f"{released} of {len(wanted)} will be sent again.")


def mails_named(store: Store, directory: Directory, given: Namespace) -> Mails:
    """The mails that the arguments name. Raises CommandError."""
    if given.campaign == TRANSACTIONAL:
        if not given.client:
            raise CommandError("client: required, for transactional mail")
        owner = client_named(directory, given.client, given.organization)
        context = Context(organization_id=owner.organization_id, client_id=owner.number, source="operator")
        found = [(number, number, contact_id) for number, contact_id in listed(store, OF_CLIENT, owner.number)]
        decider = message.transactional
        return Mails(decider, context, "message", unconfirmed(store, decider, found))
    number, state = campaign_named(store, directory, given)
    context = Context(organization_id=state.organization_id, client_id=state.client_id, source="operator")
    rows = listed(store, OF_CAMPAIGN, number)
    found = [(each, message.campaign_message_number(number, each), each) for each, _ in rows]
    return Mails(message.of_campaign, context, "contact", unconfirmed(store, message.of_campaign, found))


def campaign_named(store: Store, directory: Directory, given: Namespace) -> tuple[int, Campaign]:
    """The campaign of an external key of the client, or without a client of a number. Raises CommandError."""
    if given.client:
        owner = client_named(directory, given.client, given.organization)
        key = campaign.key_of(owner.number, given.campaign)
        [loaded] = store.load(campaign.decider, keys=[key])
    elif given.campaign.isascii() and given.campaign.isdecimal():
        [loaded] = store.load(campaign.decider, numbers=[min(int(given.campaign), 2**48)])
    else:
        raise CommandError("client: required, for a campaign's key")
    if loaded.state.content is None:
        raise CommandError("campaign: not_found")
    return loaded.number, loaded.state


def ids_in(text: str, noun: str) -> list[int]:
    """The ids between commas. Raises CommandError."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise CommandError(f"{noun}s: invalid")
    return sorted({int(word) for word in words})


def listed(store: Store, query: LiteralString, number: int) -> list[tuple[int, int]]:
    """What the read model names."""
    with psycopg.connect(store.conninfo) as connection:
        return connection.execute(query, (number,)).fetchall()


def unconfirmed(store: Store, decider: Decider[Any], listed: Sequence[tuple[int, int, int]]) -> list[Unconfirmed]:
    """Those that the read model names and of which the log says so now. Raises Unavailable."""
    found: list[Unconfirmed] = []
    for chunk in chunks(listed):
        loaded = store.load(decider, numbers=[number for _, number, _ in chunk])
        states = [each.state for each in loaded]
        pairs = zip(chunk, states, strict=True)
        found += [Unconfirmed(*each, state.attempted_at) for each, state in pairs if state.status == "unconfirmed"]
    return found


def let_go(store: Store, mails: Mails, wanted: Sequence[Unconfirmed]) -> int:
    """Release mails on an operator's word; gives how many were still to be. Raises Unavailable."""
    command = message.ReleaseMessage(at=datetime.now(UTC), reason="operator")
    outcomes: list[Outcome] = []
    for chunk in chunks(wanted):
        outcomes += store.handle(
            *(
                Order(
                    decider=mails.decider,
                    number=each.number,
                    command=command,
                    context=mails.context,
                    contact_id=each.contact_id,
                )
                for each in chunk
            )
        )
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    return sum(isinstance(outcome, Accepted) and bool(outcome.events) for outcome in outcomes)


def chunks(items: Sequence[Item]) -> list[Sequence[Item]]:
    """The items in parts that are loaded at once."""
    return [items[start : start + CHUNK] for start in range(0, len(items), CHUNK)]
