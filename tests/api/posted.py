"""Mail that has gone out, for the tests of what comes back: a campaign's message and a transactional one."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple
from uuid import UUID

from api.directory import loaded
from domain import campaign, contact, message
from domain.campaign import CampaignContent
from domain.links import Signer, UnsubscribeLink
from domain.message.content import MessageContent, MessageRequest, encode
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from tests.store.conftest import NOON

numbers = itertools.count(1)
COURSES = "dtc-courses"
NUMBER = (1 << message.KIND_BITS) - 1


class Posted(NamedTuple):
    """A message that SES has, in the log of the store."""

    store: Store
    stream: UUID
    organization_id: int
    audience_id: int
    client_id: int
    contact_id: int
    email: str

    @property
    def signer(self) -> Signer:
        """Who signs the mail's links."""
        return Signer(self.store.keyring.secret("links"))

    @property
    def way_out(self) -> str:
        """The path of the mail's unsubscribe link."""
        link = UnsubscribeLink(self.stream, self.organization_id, self.audience_id, self.client_id, self.contact_id)
        return f"/unsubscribe/{self.signer.unsubscribe(link)}"

    @property
    def state(self) -> message.Message:
        """The message as it is now."""
        transactional = self.stream.int >> message.KIND_BITS == message.transactional.kind
        decider = message.transactional if transactional else message.of_campaign
        [found] = self.store.load(decider, numbers=[self.stream.int & NUMBER])
        state: message.Message = found.state
        return state

    @property
    def contact(self) -> contact.Contact:
        """The contact as it is now."""
        [found] = self.store.load(contact.decider, numbers=[self.contact_id])
        state: contact.Contact = found.state
        return state

    def events(self) -> list[tuple[str, Any]]:
        """The message's events with their sources, after it was sent."""
        rows = [each for each in self.store.read(0, 1_000_000) if each.stream == self.stream]
        return [(recorded.source, event) for recorded, event in self.store.open(rows)][2:]


def posted(store: Store, *, transactional: bool = False, email: str = "") -> Posted:
    """A message to a new subscriber of the courses, which SES was asked to send."""
    directory = loaded(store)
    audience = next(each for each in directory.audiences.values() if each.slug == COURSES)
    client = next(each for each in directory.clients.values() if each.slug == COURSES)
    email = email or f"reader-{next(numbers)}@example.com"
    context = Context(organization_id=client.organization_id, client_id=client.number)
    scope = (client.organization_id, audience.number, client.number)
    contact_id = accept(store, context, contact.decider, subscribing(scope, email), key=email)
    if transactional:
        decider, key = message.transactional, message.key_of(client.number, email)
        asked = accept(store, context, decider, requesting(scope, contact_id), key=key, contact_id=contact_id)
        stream = UUID(int=decider.kind << message.KIND_BITS | asked)
    else:
        decider = message.of_campaign
        campaign_id = a_campaign(store, context, scope)
        asked = message.campaign_message_number(campaign_id, contact_id)
        plan = message.PlanMessage(at=NOON, campaign_id=campaign_id, contact_id=contact_id)
        accept(store, context, decider, plan, number=asked, contact_id=contact_id)
        stream = UUID(int=decider.kind << message.KIND_BITS | asked)
    accept(store, context, decider, message.AttemptMessage(at=NOON), number=asked, contact_id=contact_id)
    return Posted(store, stream, *scope, contact_id, email)


def accept(store: Store, context: Context, decider: Any, command: Any, **named: Any) -> int:
    """Handle a command, which must hold; gives the number."""
    [outcome] = store.handle(Order(decider=decider, command=command, context=context, **named))
    assert isinstance(outcome, Accepted), outcome
    return outcome.number


def subscribing(scope: tuple[int, int, int], email: str) -> contact.Subscribe:
    organization_id, audience_id, client_id = scope
    return contact.Subscribe(
        at=NOON, organization_id=organization_id, audience_id=audience_id, client_id=client_id, email=email
    )


def requesting(scope: tuple[int, int, int], contact_id: int) -> message.RequestMessage:
    organization_id, audience_id, client_id = scope
    return message.RequestMessage(
        at=NOON,
        organization_id=organization_id,
        audience_id=audience_id,
        client_id=client_id,
        contact_id=contact_id,
        template_key="welcome",
        template_version=1,
        sender_id="courses",
        sender="courses@example.com",
        content=encode(MessageContent(subject="Welcome", text="Hello")),
        request=encode(MessageRequest()),
    )


def a_campaign(store: Store, context: Context, scope: tuple[int, int, int]) -> int:
    organization_id, audience_id, client_id = scope
    content = CampaignContent(subject="News", html_body="<p>News</p>")
    key = f"posted-{next(numbers)}"
    save = campaign.SaveCampaign(
        at=NOON,
        organization_id=organization_id,
        client_id=client_id,
        audience_id=audience_id,
        external_key=key,
        content=content,
    )
    return accept(store, context, campaign.decider, save, key=campaign.key_of(client_id, key))
