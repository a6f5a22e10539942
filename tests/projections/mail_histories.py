"""Mail that nobody thought of: templates, campaigns, and messages to the people of the histories, course by course."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from hypothesis import strategies as st

from domain import campaign, contact, message, template
from domain.eligibility import SkipReason
from domain.store.log import Store
from domain.store.order import Context, Order
from domain.template import SaveTemplate, TemplateContent
from tests.domain.campaign.test_campaign import COMMANDS, NOW
from tests.domain.message.test_laws import COMMANDS as MESSAGE_COMMANDS
from tests.domain.message.test_laws import a_command, times

PEOPLE = ["ada@example.com", "bob@example.com", "eve@example.com"]
SCOPES = [(1, 11, 21), (1, 12, 22), (2, 13, 23)]
STRANGER = 900
"""The number of somebody who is no contact."""

PERSON = 1 << 40
"""What is added to the place of a person in PEOPLE until its number is known."""

AFTERWARDS = [kind for kind in MESSAGE_COMMANDS if kind not in {message.RequestMessage, message.PlanMessage}]
contents = st.builds(
    TemplateContent,
    name=st.sampled_from(["Welcome", "Reset"]),
    subject=st.just("Hi"),
    text_body=st.just("Hello"),
    is_active=st.booleans(),
)


skip_reasons: st.SearchStrategy[SkipReason | None] = st.sampled_from([None, None, "unverified"])


@st.composite
def a_template_order(draw: st.DrawFn) -> list[Order]:
    organization_id, _, client_id = draw(st.sampled_from(SCOPES))
    said: dict[str, Any] = {"at": draw(times), "organization_id": organization_id, "client_id": client_id}
    command = SaveTemplate(**said, key=draw(st.sampled_from(["welcome", "reset"])), content=draw(contents))
    key = template.natural_key(client_id, command.key)
    return [Order(decider=template.decider, command=command, context=context(organization_id, client_id), key=key)]


@st.composite
def a_campaigns_course(draw: st.DrawFn) -> list[Order]:
    external_key = draw(st.sampled_from(["may-news", "june-news"]))
    commands = [COMMANDS[0], *draw(st.lists(st.sampled_from(COMMANDS), max_size=6))]
    for place, command in enumerate(commands):
        if isinstance(command, campaign.SaveCampaign):
            commands[place] = msgspec.structs.replace(command, external_key=external_key)
    shared: dict[str, Any] = {"context": context(1, 21), "key": campaign.key_of(21, external_key)}
    return [Order(decider=campaign.decider, command=command, **shared) for command in commands]


@st.composite
def a_messages_course(draw: st.DrawFn) -> list[Order]:
    """A message of a campaign or a transactional one to a person, and what is heard of it."""
    organization_id, audience_id, client_id = draw(st.sampled_from(SCOPES))
    person = draw(st.integers(0, len(PEOPLE) - 1))
    heard = draw(st.lists(a_command(AFTERWARDS), max_size=7))
    shared: dict[str, Any] = {"context": context(organization_id, client_id), "contact_id": PERSON + person}
    if draw(st.booleans()):
        whose: dict[str, Any] = {"organization_id": organization_id, "client_id": client_id, "audience_id": audience_id}
        request = msgspec.structs.replace(
            draw(a_command([message.RequestMessage])), **whose, contact_id=PERSON + person
        )
        shared |= {"decider": message.transactional, "key": message.key_of(client_id, f"key-{person}")}
        return [Order(command=command, **shared) for command in (request, *heard)]
    campaign_id, skip_reason = draw(st.integers(1, 2)), draw(skip_reasons)
    plan = message.PlanMessage(at=NOW, campaign_id=campaign_id, contact_id=PERSON + person, skip_reason=skip_reason)
    number = message.campaign_message_number(campaign_id, PERSON + person)
    shared |= {"decider": message.of_campaign, "number": number}
    return [Order(command=command, **shared) for command in (plan, *heard)]


def context(organization_id: int, client_id: int) -> Context:
    return Context(organization_id=organization_id, client_id=client_id, correlation_id=UUID(int=1), source="sender")


def addressed(store: Store, order: Order) -> Order:
    """The order with the number that its person has by now; a stranger's when it has none."""
    if order.contact_id < PERSON:
        return order
    person = order.contact_id - PERSON
    [loaded] = store.load(contact.decider, keys=[PEOPLE[person]])
    contact_id = loaded.number or STRANGER + person
    command, number = order.command, order.number
    if hasattr(command, "contact_id"):
        command = msgspec.structs.replace(command, contact_id=contact_id)
    if number is not None:
        number = number - order.contact_id + contact_id
    return msgspec.structs.replace(order, command=command, number=number, contact_id=contact_id)
