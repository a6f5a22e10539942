"""Commands about mail that SES never answered for: which it is, and letting go again what SES is known not to have."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, LiteralString, NamedTuple

import psycopg

from api.cli_output import CommandError, say, table
from api.cli_tenants import client_named, tenants
from api.directory import Directory
from config.settings import Settings
from domain import campaign, message
from domain.campaign import Campaign
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome

ALL: Final = "all"
CHUNK: Final = 2_000
UNCONFIRMED: LiteralString = """
SELECT contact_id FROM campaign_recipients WHERE campaign_id = %s AND status = 'unconfirmed' ORDER BY contact_id
"""


class Unconfirmed(NamedTuple):
    """A mail of a campaign that SES may have or not: to whom, and when SES was asked."""

    contact_id: int
    attempted_at: datetime | None


def show(settings: Settings, given: Namespace) -> None:
    """Show the mails of a campaign that SES never answered for."""
    with tenants(settings) as (store, directory):
        number, _ = campaign_named(store, directory, given)
        found = unconfirmed(store, number)
    table(("contact", "asked"), [(str(each.contact_id), f"{each.attempted_at:%Y-%m-%d %H:%M:%S}Z") for each in found])


def release(settings: Settings, given: Namespace) -> None:
    """Have mails that SES is known not to have sent after all."""
    with tenants(settings) as (store, directory):
        number, state = campaign_named(store, directory, given)
        found = [each.contact_id for each in unconfirmed(store, number)]
        wanted = found if given.contacts == ALL else contacts_in(given.contacts)
        if strangers := sorted(set(wanted) - set(found)):
            raise CommandError(f"contacts: not unconfirmed: {', '.join(map(str, strangers))}")
        released = let_go(store, number, state, wanted)
    say(f"{released} of {len(wanted)} will be sent again.")


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


def contacts_in(text: str) -> list[int]:
    """The ids between commas. Raises CommandError."""
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise CommandError("contacts: invalid")
    return sorted({int(word) for word in words})


def unconfirmed(store: Store, campaign_id: int) -> list[Unconfirmed]:
    """Those that the read model names and of which the log says so now."""
    with psycopg.connect(store.conninfo) as connection:
        contacts = [number for (number,) in connection.execute(UNCONFIRMED, (campaign_id,))]
    found: list[Unconfirmed] = []
    for chunk in chunks(contacts):
        numbers = [message.campaign_message_number(campaign_id, contact_id) for contact_id in chunk]
        states = [loaded.state for loaded in store.load(message.of_campaign, numbers=numbers)]
        pairs = zip(chunk, states, strict=True)
        found += [Unconfirmed(contact_id, s.attempted_at) for contact_id, s in pairs if s.status == "unconfirmed"]
    return found


def let_go(store: Store, campaign_id: int, state: Campaign, contacts: Sequence[int]) -> int:
    """Release mails to contacts on an operator's word; gives how many were still to be. Raises Unavailable."""
    context = Context(organization_id=state.organization_id, client_id=state.client_id, source="operator")
    command = message.ReleaseMessage(at=datetime.now(UTC), reason="operator")
    outcomes: list[Outcome] = []
    for chunk in chunks(contacts):
        numbers = [message.campaign_message_number(campaign_id, contact_id) for contact_id in chunk]
        outcomes += store.handle(
            *(
                Order(
                    decider=message.of_campaign, number=number, command=command, context=context, contact_id=contact_id
                )
                for number, contact_id in zip(numbers, chunk, strict=True)
            )
        )
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    return sum(isinstance(outcome, Accepted) and bool(outcome.events) for outcome in outcomes)


def chunks(numbers: Sequence[int]) -> list[Sequence[int]]:
    """The numbers in parts that are loaded at once."""
    return [numbers[start : start + CHUNK] for start in range(0, len(numbers), CHUNK)]
