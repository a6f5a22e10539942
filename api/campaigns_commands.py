"""What is done with a campaign once it is drafted: queue it, hold it back, let it go on, call it off."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec

from api.answer import Answer, json_answer
from api.call import Call
from api.campaigns import CampaignAnswer, Found, found, sender_of
from api.campaigns_payload import CampaignPayload, counted, payload
from api.commands import carry_out, context_of, load
from api.errors import refused
from api.listener import heard
from api.message_requests import done
from domain import campaign
from domain.campaign.commands import Command
from domain.decider import Rejected
from domain.store.order import Accepted, Loaded, Order

ACCEPTED = 202
WAIT_SECONDS = 5.0
LOOK_SECONDS = 0.1
"""How long a snapshot that nothing told of can keep somebody waiting."""


class QueuedCampaign(msgspec.Struct, frozen=True):
    """The campaign, whether this request queued it, and what its snapshot counts: null until it is taken."""

    campaign: CampaignPayload
    queued: bool
    recipient_count: int | None
    skipped_count: int | None


class CancelledCampaign(msgspec.Struct, frozen=True):
    """The campaign, and whether this request cancelled it."""

    campaign: CampaignPayload
    cancelled: bool


async def queue(call: Call) -> Answer:
    """Queue the campaign for everyone whom it means at this moment, and wait for that snapshot up to 5 seconds."""
    there = await found(call)
    command = campaign.QueueCampaign(at=call.now, sender_id="", sender="")
    if there.state.phase == "draft":
        try:
            sender = await sender_of(call, there.content)
        except Rejected as refusal:
            raise refused(refusal) from None
        command = campaign.QueueCampaign(at=call.now, sender_id=sender.id, sender=sender.email)
    made = await done(call, order(call, there, command))
    state = (await snapshot(call, there.number)).state
    shown = payload(call, there.number, state, await counted(call, there.number))
    queued = any(isinstance(event, campaign.CampaignQueued) for event in made.events)
    answer = QueuedCampaign(shown, queued, state.recipient_count, state.skipped_count)
    return json_answer(answer, status=ACCEPTED, position=made.position)


async def snapshot(call: Call, number: int) -> Loaded:
    """The campaign once its snapshot is taken, or after 5 seconds."""
    bell = call.wiring.listener.bells["datamailer_checkpoint"]
    clock = asyncio.get_running_loop().time
    deadline = clock() + WAIT_SECONDS
    while True:
        rung = bell.next_ring()
        loaded = await load(call, campaign.decider, number=number)
        left = deadline - clock()
        if loaded.state.phase not in {"queued", "snapshotting"} or left <= 0:
            return loaded
        await heard(rung, min(left, LOOK_SECONDS))


async def cancel(call: Call) -> Answer:
    """Cancel the campaign: nothing more of it is sent."""

    def answer(shown: CampaignPayload, made: Accepted) -> CancelledCampaign:
        return CancelledCampaign(shown, any(isinstance(event, campaign.CampaignCancelled) for event in made.events))

    return await change(call, campaign.CancelCampaign(at=call.now), answer)


async def pause(call: Call) -> Answer:
    """Hold back what was not sent yet."""
    return await change(call, campaign.PauseCampaign(at=call.now), lambda shown, _: CampaignAnswer(shown))


async def resume(call: Call) -> Answer:
    """Go on where the pause began."""
    return await change(call, campaign.ResumeCampaign(at=call.now), lambda shown, _: CampaignAnswer(shown))


async def change(call: Call, command: Command, answer: Callable[[CampaignPayload, Accepted], msgspec.Struct]) -> Answer:
    """Carry a command out, and answer with the campaign."""
    there = await found(call)
    counters = await counted(call, there.number)

    def render(made: Accepted) -> Answer:
        shown = payload(call, there.number, made.state, counters)
        return json_answer(answer(shown, made), position=made.position)

    return await carry_out(call, order(call, there, command), render)


def order(call: Call, there: Found, command: Command) -> Order:
    """A command for a campaign that exists."""
    return Order(decider=campaign.decider, command=command, context=context_of(call), number=there.number)
