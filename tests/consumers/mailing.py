"""Mail to send in tests: contacts, a campaign whose snapshot is taken, transactional requests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from domain import audience, campaign, contact, message
from domain.campaign import CampaignContent
from domain.message.content import MessageContent, MessageRequest, encode
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from tests.store.conftest import NOON, upsert

CONTEXT = Context(organization_id=1, client_id=2)
CONTENT = CampaignContent(
    subject="News für alle",
    html_body='<p>Hello <a href="https://example.com/a?b=1&amp;c=2">there</a></p>',
    preview_text="What is new",
)


def accepted(store: Store, *orders: Order) -> list[Accepted]:
    """Handle orders, all of which must hold."""
    outcomes = store.handle(*orders)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
    return [outcome for outcome in outcomes if isinstance(outcome, Accepted)]


def order(decider: Any, command: Any, **named: Any) -> Order:
    return Order(decider=decider, command=command, context=CONTEXT, **named)


def people(store: Store, count: int) -> list[int]:
    """Verified subscribers of audience 3 by client 2; gives their numbers."""
    orders = [upsert(f"person{n}@example.com", status="subscribed", verified=True) for n in range(count)]
    return [outcome.number for outcome in accepted(store, *orders)]


def a_campaign(store: Store, contacts: Iterable[int], content: CampaignContent = CONTENT, key: str = "may") -> int:
    """A campaign that is being sent to the contacts; gives its number."""
    name = audience.CreateAudience(at=NOON, organization_id=1, slug="news", name="The News")
    store.handle(*(order(audience.decider, name, key=f"1/news{n}") for n in range(3)))
    save = campaign.SaveCampaign(
        at=NOON, organization_id=1, client_id=2, audience_id=3, external_key=key, content=content
    )
    [saved] = accepted(store, order(campaign.decider, save, key=campaign.key_of(2, key)))
    number = saved.number
    steps = (
        campaign.QueueCampaign(at=NOON, sender_id="hello", sender="Grüße <hello@example.com>"),
        campaign.StartSnapshot(at=NOON, position=1),
    )
    accepted(store, *(order(campaign.decider, step, number=number) for step in steps))
    numbers = list(contacts)
    accepted(store, *(planned(number, contact_id) for contact_id in numbers))
    finish = campaign.FinishSnapshot(at=NOON, recipient_count=len(numbers), skipped_count=0)
    accepted(store, order(campaign.decider, finish, number=number))
    return number


def planned(number: int, contact_id: int) -> Order:
    """The campaign's message to a contact."""
    plan = message.PlanMessage(at=NOON, campaign_id=number, contact_id=contact_id)
    stream = message.campaign_message_number(number, contact_id)
    return order(message.of_campaign, plan, number=stream, contact_id=contact_id)


def a_request(contact_id: int, key: str, **said: Any) -> Order:
    """A transactional mail to a contact."""
    content = MessageContent(
        subject="Your password", text="Reset it: https://example.com/reset", bcc=("b@example.com",)
    )
    request = message.RequestMessage(
        at=NOON,
        organization_id=1,
        client_id=2,
        contact_id=contact_id,
        template_key="reset",
        template_version=1,
        sender_id="hello",
        sender="hello@example.com",
        content=encode(content),
        request=encode(MessageRequest()),
        **said,
    )
    return order(message.transactional, request, key=message.key_of(2, key), contact_id=contact_id)


def statuses(store: Store, campaign_id: int, contacts: Iterable[int]) -> list[str | None]:
    """Where the campaign's messages stand."""
    numbers = [message.campaign_message_number(campaign_id, contact_id) for contact_id in contacts]
    return [loaded.state.status for loaded in store.load(message.of_campaign, numbers=numbers)]


def unsubscribe(number: int) -> Order:
    """The contact leaves the client's list."""
    left = contact.Unsubscribe(
        at=NOON, organization_id=1, audience_id=3, client_id=2, email=f"person{number - 1}@example.com", scope="client"
    )
    return order(contact.decider, left, key=f"person{number - 1}@example.com")
