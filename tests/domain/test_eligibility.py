"""Who may get a mail: the first reason that holds, in the contract's order."""

from __future__ import annotations

from itertools import product
from typing import Any, get_args

import pytest

from domain import contact
from domain.contact.view import can_send_marketing, can_send_transactional
from domain.decider import Event
from domain.eligibility import (
    CAMPAIGN,
    TRANSACTIONAL,
    Candidate,
    SkipReason,
    campaign_skip_reason,
    is_intended,
    skip_reason,
    transactional_skip_reason,
)
from domain.personal import Address
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    OWN,
    bounced_elsewhere,
    given,
    pending,
    registered,
    subscribed,
    subscribed_elsewhere,
    unsubscribed,
)

SCOPE: dict[str, Any] = {"organization_id": OWN, "audience_id": AUDIENCE}
complained = contact.ContactComplained(at=EARLIER, organization_id=OWN)
everywhere = contact.ContactGloballyUnsubscribed(at=EARLIER, organization_id=OWN)
risky = contact.ContactEmailValidated(at=EARLIER, organization_id=OWN, status="risky", validated_at=EARLIER)
unproven = contact.ContactSubscribed(at=EARLIER, **SCOPE, client_id=CLIENT)
verified = contact.ContactVerified(at=EARLIER, audience_id=0, client_id=0, verified_at=EARLIER)
left_audience = contact.ContactUnsubscribed(at=EARLIER, **SCOPE, client_id=0)
disabled = contact.ContactCategoryDisabled(at=EARLIER, audience_id=AUDIENCE, client_id=CLIENT, tag="news", label="News")
erased = contact.ContactErased(at=EARLIER, organization_id=OWN, audience_ids=(AUDIENCE,), last=True)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ([subscribed], None),
        ([subscribed, bounced_elsewhere], "hard_bounce"),
        ([subscribed, complained], "complaint"),
        ([subscribed, everywhere], "global_unsubscribe"),
        ([subscribed, risky], "invalid_email"),
        ([unproven], "unverified"),
        ([unproven, verified], None),
        ([subscribed, left_audience], "audience_unsubscribe"),
        ([unsubscribed, verified], "client_unsubscribe"),
        ([pending, verified], "suppressed"),
        ([verified], "suppressed"),
        ([subscribed_elsewhere, verified], "suppressed"),
        ([subscribed, disabled], "client_unsubscribe"),
        ([subscribed, erased], "suppressed"),
    ],
)
def test_why_a_campaign_skips_a_contact(facts: list[Event], reason: SkipReason | None) -> None:
    state = given(registered, *facts).state
    assert campaign_skip_reason(state, AUDIENCE, CLIENT, "news") == reason
    if disabled not in facts:
        assert (reason is None) == can_send_marketing(state, AUDIENCE, CLIENT)


@pytest.mark.parametrize(
    ("facts", "category", "reason"),
    [
        ([], "", None),
        ([everywhere, risky, unsubscribed, left_audience], "", None),
        ([bounced_elsewhere], "", "hard_bounce"),
        ([complained], "", "complaint"),
        ([disabled], "news", "client_unsubscribe"),
        ([disabled], "jobs", None),
        ([disabled], "", None),
        ([erased], "", "suppressed"),
    ],
)
def test_why_a_transactional_mail_is_skipped(facts: list[Event], category: str, reason: SkipReason | None) -> None:
    state = given(registered, *facts).state
    assert transactional_skip_reason(state, AUDIENCE, CLIENT, category) == reason
    if not category:
        assert (reason is None) == can_send_transactional(state)


def test_an_address_that_came_back_to_life_starts_clean() -> None:
    again = contact.ContactRegistered(at=EARLIER, email=Address("a@example.com"), organization_id=OWN)
    state = given(registered, complained, erased, again, subscribed).state
    assert campaign_skip_reason(state, AUDIENCE, CLIENT) is None


CHOICES: dict[str, tuple[Any, ...]] = {
    "hard_bounced": (False, True),
    "complained": (False, True),
    "global_unsubscribed": (False, True),
    "validation": ("valid", "risky"),
    "verified": (True, False),
    "audience_status": (None, "unsubscribed"),
    "client_status": ("subscribed", "unsubscribed", "pending"),
    "category_disabled": (False, True),
}


def test_the_order_is_the_contracts_for_every_combination() -> None:
    order = ["hard_bounce", "complaint", "global_unsubscribe", "invalid_email", "unverified", "audience_unsubscribe"]
    for values in product(*CHOICES.values()):
        asked = dict(zip(CHOICES, values, strict=True))
        plain = [asked[name] != CHOICES[name][0] for name in list(CHOICES)[:6]]
        expected = next((reason for reason, holds in zip(order, plain, strict=True) if holds), None)
        if expected is None:
            own = {"unsubscribed": "client_unsubscribe", "pending": "suppressed"}.get(asked["client_status"])
            expected = own or ("client_unsubscribe" if asked["category_disabled"] else None)
        assert skip_reason(Candidate(**asked), CAMPAIGN) == expected
    assert {reason for reason, _ in CAMPAIGN} == set(get_args(SkipReason))
    assert {reason for reason, _ in TRANSACTIONAL} < set(get_args(SkipReason))


@pytest.mark.parametrize(
    ("include", "exclude", "meant"),
    [
        ([], [], True),
        (["a"], [], True),
        (["a", "b"], [], True),
        (["a", "c"], [], False),
        ([], ["b"], False),
        (["a"], ["c"], True),
    ],
)
def test_whom_a_campaign_means(include: list[str], exclude: list[str], meant: bool) -> None:  # noqa: FBT001 - a row
    assert is_intended({"a", "b"}, include, exclude) == meant
