"""What the log has about a campaign and a contact, gathered and weighed for an explanation."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final, NamedTuple

import psycopg

from api.campaigns_explained import (
    Condition,
    Explanation,
    Fact,
    Moment,
    Outcome,
    RuleOutcome,
    SkippedLater,
    fact,
    message_fact,
    planned,
)
from domain import campaign, contact, message, recipient, recipient_list
from domain.addressee import address
from domain.campaign import Campaign, CampaignQueued
from domain.contact.changes import folded
from domain.contact.disclosure import disclosed
from domain.decider import Event
from domain.explanation import GONE, RULES, ConditionName, Standing, of_contact, standings
from domain.message import Message, MessageSkipped, campaign_message_number
from domain.recipient import Recipient
from domain.store.history import Opened, Stream, known_by, read_stream
from domain.store.log import Store

# The row of a place outlives removal and erasure: it only says which streams of the log to look at.
PLACES: Final = """
SELECT r.recipient_id, l.key FROM recipients r JOIN recipient_lists l USING (list_id)
WHERE r.contact_id = %(contact)s AND l.client_id = %(client)s ORDER BY r.recipient_id
"""
Standings = dict[tuple[str, str], Standing[Opened]]


class Evidence(NamedTuple):
    """The streams of a campaign, a contact, and the mail of the one to the other; ``head`` is where the log ends."""

    campaign_id: int
    contact_id: int
    campaign: Campaign
    queued: Opened | None
    person: Stream
    mail: Stream

    @property
    def as_of(self) -> int:
        """The position at which conditions and rules are weighed."""
        return self.queued[0].position if self.queued else self.person.head

    @property
    def concerns(self) -> bool:
        """Whether the campaign's organization ever had to do with the contact."""
        own = self.campaign.organization_id
        return bool(self.mail.events) or any(recorded.organization_id == own for recorded, _ in self.person.events)


def evidence(store: Store, campaign_id: int, contact_id: int) -> Evidence:
    """Read what there is. Raises Unavailable."""
    if contact_id >> message.CONTACT_BITS:
        contact_id = 0  # no contact has such a number, and the message's would be another campaign's
    course = read_stream(store, campaign.decider.kind, campaign_id).events
    state = reduce(campaign.evolve, (event for _, event in course), Campaign())
    queued = next((opened for opened in course if isinstance(opened[1], CampaignQueued)), None)
    person = read_stream(store, contact.decider.kind, contact_id)
    mail = read_stream(store, message.of_campaign.kind, campaign_message_number(campaign_id, contact_id))
    return Evidence(campaign_id, contact_id, state, queued, person, mail)


def explained(store: Store, found: Evidence) -> Explanation:
    """Weigh it. Raises Unavailable and psycopg's OperationalError."""
    state, own = found.campaign, found.campaign.organization_id
    conditions, rules = weighed(store, found)
    mail = reduce(message.evolve, (event for _, event in found.mail.events), Message())
    meant = all(each.passes for each in conditions)
    return Explanation(
        campaign_id=found.campaign_id,
        external_key=state.external_key,
        status=state.status,
        contact_id=found.contact_id,
        email=address(folded(event for _, event in found.person.events), own),
        outcome=outcome(found, mail, meant=meant),
        mailed=mail.sent_at is not None,
        queued=Moment(found.queued[0].position, found.queued[1].at) if found.queued else None,
        as_of=found.as_of,
        meant=meant,
        conditions=conditions,
        skip_reason=next((each.reason for each in rules if not each.passes), None) if meant else None,
        rules=rules,
        snapshot=planned(found.mail.events),
        sending=skipped_later(found),
        message=[message_fact(*opened) for opened in found.mail.events],
    )


def weighed(store: Store, found: Evidence) -> tuple[list[Condition], list[RuleOutcome]]:
    """The conditions and the rules. Raises Unavailable."""
    state, own = found.campaign, found.campaign.organization_id
    stand = of_contact(state, told(known_by(found.person.events, found.as_of)))
    rules = [
        RuleOutcome(name, reason, not stand[name, ""].holds, shown(stand[name, ""], own)) for name, reason in RULES
    ]
    return [*of_facts(state, stand, own), *of_list(store, found)], rules


def told(events: Sequence[Opened]) -> list[tuple[Opened, Event]]:
    """Events, each named by itself."""
    return [(opened, opened[1]) for opened in events]


def outcome(found: Evidence, mail: Message, *, meant: bool) -> Outcome:
    """What came of it, in a word."""
    if mail.status is not None:
        return mail.status
    if found.queued is None:
        return "not_queued"
    return "not_planned" if meant else "not_meant"


def shown(standing: Standing[Opened], own: int) -> Fact | None:
    """The event behind a fact, as far as the organization may know of it."""
    if standing.since is None:
        return None
    recorded, event = standing.since
    if disclosed(event, recorded_by=recorded.organization_id, to=own) is None:
        return None
    return fact(recorded, event, whole=recorded.organization_id in (own, 0))


def of_facts(state: Campaign, stand: Standings, own: int) -> list[Condition]:
    """The audience and the tags."""
    content = state.content
    wanted: list[tuple[ConditionName, str, bool]] = [("audience", "", True)]
    if content is not None:
        wanted += [("include_tag", tag, True) for tag in content.include_tags]
        wanted += [("exclude_tag", tag, False) for tag in content.exclude_tags]
    return [
        Condition(name, value, stand[name, value].holds == so, shown(stand[name, value], own))
        for name, value, so in wanted
    ]


def of_list(store: Store, found: Evidence) -> list[Condition]:
    """The recipient list, when the campaign is limited to one: passes with a place on it or on one within it."""
    content = found.campaign.content
    if content is None or not content.recipient_list_key:
        return []
    key = content.recipient_list_key
    best: Standing[Opened] = Standing(holds=False, since=None)
    with psycopg.connect(store.conninfo) as connection:
        asked = {"contact": found.contact_id, "client": found.campaign.client_id}
        places = connection.execute(PLACES, asked).fetchall()
    for number, at in places:
        if recipient_list.is_within(at, key):
            here = place(store, found, number)
            best = here if here.holds or (here.since and not best.since) else best
        if best.holds:
            break
    return [Condition("recipient_list", key, best.holds, shown(best, found.campaign.organization_id))]


def place(store: Store, found: Evidence, number: int) -> Standing[Opened]:
    """Whether the contact stood at a place of a list, and since when."""
    events = known_by(read_stream(store, recipient.decider.kind, number).events, found.as_of)

    def facts(state: Recipient) -> dict[tuple[str, str], bool]:
        return {("there", ""): state.active and state.contact_id == found.contact_id}

    return standings(told(events), Recipient(), recipient.evolve, facts)["there", ""]


def skipped_later(found: Evidence) -> SkippedLater | None:
    """The skip right before sending, if there was one, and the event behind it."""
    for recorded, event in found.mail.events[1:]:
        if isinstance(event, MessageSkipped):
            stand = of_contact(found.campaign, told(known_by(found.person.events, recorded.position)))
            names = [(name, "") for name, reason in RULES if reason == event.reason]
            why = next((stand[name] for name in (GONE, *names) if stand[name].holds), None)
            because = None if why is None else shown(why, found.campaign.organization_id)
            return SkippedLater(recorded.position, event.at, event.reason, because)
    return None
