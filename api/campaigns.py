"""Campaigns: a client drafts a mail to contacts of an audience under a key of its own, and sees what became of it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

import msgspec
from msgspec import UNSET, UnsetType

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns_payload import CampaignPayload, counted, payload
from api.commands import load, submit
from api.errors import Invalid, not_found
from api.fields import Scoped, TagNames, said
from api.refusals import noted
from api.scalars import Errors
from api.senders import Trimmed
from domain import campaign, client, recipient_list
from domain.campaign import Campaign, CampaignContent
from domain.contact import tag_named, tags_named
from domain.sender import Sender, choose
from domain.store.order import Accepted
from projections.campaign_counters import Counters

CREATED, OK = 201, 200


class SaveCampaign(Scoped, kw_only=True):
    """The whole draft; what is not said is empty. One of the two bodies is needed, the other is made from it.

    ``from_email`` is the id of a sender, the client's default otherwise. The draft queues itself at ``scheduled_at``.
    """

    subject: str
    preview_text: str = ""
    html_body: str = ""
    text_body: str = ""
    scheduled_at: datetime | None = None
    from_email: Trimmed = ""
    include_tags: TagNames | UnsetType = UNSET
    exclude_tags: TagNames | UnsetType = UNSET
    category_tag: Trimmed = ""
    recipient_list_key: Trimmed = ""
    metadata: dict[str, Any] | UnsetType = UNSET

    async def check(self, call: Call) -> CampaignContent:
        """What was said, in the domain's words. Raises Invalid with every wrong field."""
        errors: Errors = {}
        content = content_of(self, errors)
        await check(call, content, errors)
        return content


class CampaignQuery(msgspec.Struct, kw_only=True):
    """Nothing beyond the position that the counters shall reflect."""


class CampaignAnswer(msgspec.Struct, frozen=True):
    """The campaign as it is now."""

    campaign: CampaignPayload


class SavedCampaign(msgspec.Struct, frozen=True):
    """The campaign as it is now, and whether this request made it."""

    campaign: CampaignPayload
    created: bool


class Found(NamedTuple):
    """A campaign of the calling client, and the log position that it reflects."""

    number: int
    state: Campaign
    content: CampaignContent
    position: int


async def found(call: Call) -> Found:
    """The campaign that the path names. Raises Invalid ``not_found`` on ``external_key``."""
    key = campaign.key_of(call.caller.number, call.given_names["external_key"])
    loaded = await load(call, campaign.decider, key=key)
    if loaded.state.content is None:
        raise not_found("external_key")
    return Found(loaded.number, loaded.state, loaded.state.content, loaded.position)


async def show(call: Call, _: CampaignQuery) -> Answer:
    """The campaign, never stale, with its counters as far as they have come."""
    there = await found(call)
    counters = await counted(call, there.number)
    shown = payload(call, there.number, there.state, counters)
    return json_answer(CampaignAnswer(shown), position=min(there.position, call.reflected))


async def save(call: Call, given: SaveCampaign) -> Answer:
    """Begin a draft or revise it; only a draft can be edited."""
    content = await given.check(call)
    key = call.given_names["external_key"]
    command = campaign.SaveCampaign(
        at=call.now,
        organization_id=call.caller.organization_id,
        client_id=call.caller.number,
        audience_id=call.audience.number,
        external_key=key,
        content=content,
    )

    def render(done: Accepted) -> Answer:
        created = any(isinstance(event, campaign.CampaignDrafted) for event in done.events)
        saved = SavedCampaign(payload(call, done.number, done.state, Counters()), created)
        return json_answer(saved, status=CREATED if created else OK, position=done.position)

    return await submit(call, campaign.decider, command, render, key=campaign.key_of(call.caller.number, key))


def content_of(given: SaveCampaign, errors: Errors) -> CampaignContent:
    """What was said, in the domain's words. A ``category_tag`` that is none is noted."""
    category = ""
    if given.category_tag:
        with noted(errors):
            category = tag_named(given.category_tag, "category_tag").slug
    return CampaignContent(
        subject=given.subject,
        preview_text=given.preview_text,
        html_body=given.html_body,
        text_body=given.text_body,
        from_email=given.from_email,
        include_tags=tuple(tags_named(said(given.include_tags) or ())),
        exclude_tags=tuple(tags_named(said(given.exclude_tags) or ())),
        category_tag=category,
        recipient_list_key=given.recipient_list_key,
        scheduled_at=given.scheduled_at,
        metadata=said(given.metadata) or {},
    )


async def check(call: Call, content: CampaignContent, errors: Errors) -> None:
    """Refuse what could not be sent. Raises Invalid with every wrong field, those noted before too."""
    with noted(errors):
        campaign.check_content(content)
    with noted(errors):
        await sender_of(call, content)
    if key := content.recipient_list_key:
        with noted(errors):
            recipient_list.check_key(key, "recipient_list_key")
        listed = await load(call, recipient_list.decider, key=recipient_list.key_of(call.caller.number, key))
        if not listed.state.key:
            errors.setdefault("recipient_list_key", "not_found")
    if errors:
        raise Invalid(errors)


async def sender_of(call: Call, content: CampaignContent) -> Sender:
    """Whom the mail is from. Raises Rejected on ``from_email``: ``not_found`` or ``not_configured``."""
    owner = await load(call, client.decider, number=call.caller.number)
    return choose(owner.state.senders, content.from_email, owner.state.default_sender_id)
