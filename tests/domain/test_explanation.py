"""Since when a campaign's conditions and rules stand as they do."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain import contact
from domain.campaign import Campaign, CampaignContent
from domain.contact import commands
from domain.contact.changes import folded
from domain.decider import Event, Rejected
from domain.eligibility import campaign_skip_reason
from domain.explanation import GONE, RULES, facts_for, of_contact
from tests.domain.cases import Given
from tests.domain.contact.test_laws import a_command

CAMPAIGN = Campaign(
    organization_id=1,
    client_id=21,
    audience_id=11,
    content=CampaignContent(subject="News", include_tags=("ml",), exclude_tags=("de",), category_tag="ml"),
)


def lived(history: list[commands.Command]) -> list[Event]:
    """The events of those commands that hold."""
    there, events = Given(contact.decider), list[Event]()
    for command in history:
        try:
            step = there.when(command)
            events += step.decide()
            there = step.done()
        except Rejected:
            continue
    return events


@given(st.lists(a_command(), max_size=12))
def test_what_stands_is_so_and_became_so_with_the_event_that_is_named(history: list[commands.Command]) -> None:
    events = lived(history)
    facts = facts_for(CAMPAIGN)
    told = [facts(folded(events[:end])) for end in range(len(events) + 1)]
    for name, standing in of_contact(CAMPAIGN, enumerate(events, 1)).items():
        course = [each[name] for each in told]
        assert standing.holds == course[-1]
        changed = [place for place in range(1, len(course)) if course[place] != course[place - 1]]
        assert standing.since == (changed[-1] if changed else None)


@given(st.lists(a_command(), max_size=12))
def test_the_first_rule_that_holds_is_the_reason(history: list[commands.Command]) -> None:
    events = lived(history)
    standings = of_contact(CAMPAIGN, enumerate(events))
    reason = next((reason for name, reason in RULES if standings[name, ""].holds), None)
    state = folded(events)
    assert standings[GONE].holds == (state.email is None)
    if state.email is not None:
        assert campaign_skip_reason(state, 11, 21, "ml") == reason


def test_of_nobody_nothing_is_known() -> None:
    nothing: list[tuple[int, Event]] = []
    standings = of_contact(CAMPAIGN, nothing)
    assert {standing.since for standing in standings.values()} == {None}
    held = [name for name, _ in RULES if standings[name, ""].holds]
    assert held == ["unverified", "suppressed"]
    assert not standings["audience", ""].holds
