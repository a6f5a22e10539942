"""A log in which mail goes out, and the read models after it, for tests that tell a story."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

import psycopg

from consumers.session import Connection
from domain import campaign, contact, message
from domain.campaign import CampaignContent
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from projections.engine import Applied
from projections.schema import read_models
from tests.projections.histories import begin, deliver, put

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
SCOPE = {"organization_id": 1, "audience_id": 11, "client_id": 21}
OTHERS = {"organization_id": 2, "audience_id": 13, "client_id": 23}
ASKED: dict[str, Any] = {
    "template_key": "welcome",
    "template_version": 1,
    "sender_id": "courses",
    "sender": "Courses <courses@example.com>",
    "content": '{"subject":"Secret words"}',
    "request": '{"context":{"name":"Ann"}}',
}
T = TypeVar("T")


class Mailing:
    """Acts in the scope of client 21 of organization 1; ``show`` brings every read model up to the log."""

    def __init__(self, store: Store, connection: Connection) -> None:
        self.store = store
        self.connection = connection
        self._there = 0
        for projection in read_models():
            begin(connection, projection)

    def show(self) -> None:
        """Have the read models take in what is new."""
        events = put(self.store, self.connection, [], self._there)
        for projection in read_models():
            assert deliver(self.connection, self.store, projection, events, self._there) == Applied()
        self._there += len(events)

    def handle(self, decider: Any, *commands: Any, whose: dict[str, int] = SCOPE, **place: Any) -> int:
        """Handle commands for one stream; gives its number."""
        context = Context(
            organization_id=whose["organization_id"],
            client_id=whose["client_id"],
            correlation_id=UUID(int=1),
            source="sender",
        )
        orders = [Order(decider=decider, command=command, context=context, **place) for command in commands]
        done = self.store.handle(*orders)
        assert all(isinstance(outcome, Accepted) for outcome in done), done
        return done[-1].number if isinstance(done[-1], Accepted) else 0

    def person(self, email: str, whose: dict[str, int] = SCOPE, **said: Any) -> int:
        """A contact with a subscription in the scope."""
        command: Any = contact.UpsertContact(**{"at": NOON, "email": email, "status": "subscribed", **whose, **said})
        return self.handle(contact.decider, command, whose=whose, key=email)

    def draft(self, key: str = "may-news", whose: dict[str, int] = SCOPE, **said: Any) -> int:
        """A campaign."""
        content = CampaignContent(subject="News", html_body="<p>Secret words</p>", **said)
        command = campaign.SaveCampaign(at=NOON, **whose, external_key=key, content=content)
        return self.handle(campaign.decider, command, whose=whose, key=campaign.key_of(whose["client_id"], key))

    def mail(self, campaign_id: int, contact_id: int, *commands: Any, whose: dict[str, int] = SCOPE) -> None:
        """Plan a campaign's mail to a contact, unless it is there, and say what becomes of it."""
        number = message.campaign_message_number(campaign_id, contact_id)
        plan = message.PlanMessage(at=NOON, campaign_id=campaign_id, contact_id=contact_id)
        self.handle(message.of_campaign, plan, *commands, whose=whose, number=number, contact_id=contact_id)

    def request(self, key: str, contact_id: int, *commands: Any, whose: dict[str, int] = SCOPE, **said: Any) -> int:
        """Ask for a transactional mail, unless it is there, and say what becomes of it; gives its number."""
        scope = {name: whose[name] for name in ("organization_id", "client_id")}
        ask = message.RequestMessage(**{"at": NOON, "contact_id": contact_id, **scope, **ASKED, **said})
        natural = message.key_of(whose["client_id"], key)
        return self.handle(message.transactional, ask, *commands, whose=whose, key=natural, contact_id=contact_id)

    def ask(self, query: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
        """Run a query of the API."""

        async def asked() -> T:
            async with await psycopg.AsyncConnection.connect(self.store.conninfo, autocommit=True) as connection:
                return await query(connection)

        return asyncio.run(asked())


SENT = (message.AttemptMessage(at=NOON), message.ConfirmSent(at=NOON, ses_message_id="ses-1"))
"""SES was asked and has the mail."""
