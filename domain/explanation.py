"""Why a campaign means a contact and may mail it, or not: each condition, and the event since which it is so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final, Generic, Literal, NamedTuple, TypeVar

from domain import contact
from domain.campaign import Campaign, CampaignContent
from domain.contact import Contact
from domain.decider import Event
from domain.eligibility import CAMPAIGN, CATEGORY, SkipReason, candidate

Where = TypeVar("Where")
S = TypeVar("S")

ConditionName = Literal["audience", "include_tag", "exclude_tag", "recipient_list"]
Facts = Mapping[tuple[str, str], bool]
"""What is so of a contact at a moment, by the name of the condition and the tag that it is about, if any."""

GONE: Final = ("gone", "")
"""Not a contact yet, or no longer: nobody may write to it."""
CATEGORY_RULE: Final = "category"
"""The rule about a category: it gives the same reason as another one."""
RULES: Final[tuple[tuple[str, SkipReason], ...]] = tuple(
    (CATEGORY_RULE if rule is CATEGORY else rule[0], rule[0]) for rule in CAMPAIGN
)
"""The rules of a campaign by name, in their order, each with its reason."""


class Standing(NamedTuple, Generic[Where]):
    """Whether something is so, and since which event, as the history names it; None: it never was otherwise."""

    holds: bool
    since: Where | None


def standings(
    history: Iterable[tuple[Where, Event]],
    initial: S,
    evolve: Callable[[S, Event], S],
    facts: Callable[[S], Facts],
) -> dict[tuple[str, str], Standing[Where]]:
    """Fold a history, and tell of each fact how it stands at the end and which event made it so."""
    state = initial
    found: dict[tuple[str, str], Standing[Where]] = {
        name: Standing(holds, None) for name, holds in facts(state).items()
    }
    for where, event in history:
        state = evolve(state, event)
        for name, holds in facts(state).items():
            if holds != found[name].holds:
                found[name] = Standing(holds, where)
    return found


def facts_for(campaign: Campaign) -> Callable[[Contact], Facts]:
    """What the campaign asks of a contact, but for lists: conditions that it is meant, and rules that hold it back."""
    content = campaign.content or CampaignContent(subject="")
    audience_id = campaign.audience_id

    def facts(state: Contact) -> Facts:
        tags = state.tags.get(audience_id, frozenset())
        asked = candidate(state, audience_id, campaign.client_id, content.category_tag)
        named = zip(RULES, CAMPAIGN, strict=True)
        return {
            GONE: state.email is None,
            ("audience", ""): any(audience == audience_id for audience, _ in state.subscriptions),
            **{("include_tag", tag): tag in tags for tag in content.include_tags},
            **{("exclude_tag", tag): tag in tags for tag in content.exclude_tags},
            **{(name, ""): holds(asked) for (name, _), (_, holds) in named},
        }

    return facts


def of_contact(campaign: Campaign, history: Iterable[tuple[Where, Event]]) -> dict[tuple[str, str], Standing[Where]]:
    """How everything stands that the campaign asks of a contact, after the contact's history."""
    return standings(history, contact.decider.initial, contact.decider.evolve, facts_for(campaign))
