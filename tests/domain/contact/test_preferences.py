"""Category preferences: a category never set is enabled, and a suppressed contact enables nothing."""

from __future__ import annotations

from typing import Any

import pytest

from domain import contact
from domain.decider import Event, Rejected
from domain.personal import Personal
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    EMAIL,
    NOW,
    OTHER,
    OWN,
    bounced_elsewhere,
    given,
    registered,
    subscribed,
    subscribed_elsewhere,
)

SCOPE: dict[str, Any] = {"audience_id": AUDIENCE, "client_id": CLIENT}
WHO: dict[str, Any] = {"at": NOW, "organization_id": OWN, **SCOPE}
NAMES = contact.view.Names(AUDIENCE, CLIENT, "dtc-courses", "dtc-newsletter")
disabled = contact.ContactCategoryDisabled(at=EARLIER, **SCOPE, tag="weekly-news", label="News")


def choose(*choices: tuple[str, bool] | tuple[str, bool, str], reason: str | None = None) -> contact.SetPreferences:
    categories = tuple(
        contact.CategoryChoice(tag=tag, enabled=enabled, label=label[0] if label else None)
        for tag, enabled, *label in choices
    )
    return contact.SetPreferences(**WHO, categories=categories, reason=reason)


def test_choices_are_kept_with_label_and_reason() -> None:
    given(registered, subscribed).when(
        choose(("Weekly News", False), ("jobs", True, "Job offers"), reason="busy")
    ).then(
        contact.ContactCategoryDisabled(
            at=NOW, **SCOPE, tag="weekly-news", label="Weekly News", reason=Personal("busy")
        ),
        contact.ContactCategoryEnabled(at=NOW, **SCOPE, tag="jobs", label="Job offers", reason=Personal("busy")),
    )


def test_a_label_that_was_not_said_stays() -> None:
    chosen = given(registered, subscribed, disabled)
    chosen.when(choose(("weekly-news", False))).is_quiet()
    chosen.when(choose(("weekly-news", True))).then(
        contact.ContactCategoryEnabled(at=NOW, **SCOPE, tag="weekly-news", label="News")
    )
    chosen.when(choose(("weekly-news", False, "The news"))).then(
        contact.ContactCategoryDisabled(at=NOW, **SCOPE, tag="weekly-news", label="The news")
    )


def test_every_bad_tag_is_named() -> None:
    given(registered, subscribed).when(choose(("!", True), ("a", True), ("A", False), ("b" * 121, True))).is_refused(
        {"categories.0.tag": "invalid", "categories.2.tag": "duplicate", "categories.3.tag": "too_long"}
    )


@pytest.mark.parametrize(
    "fact",
    [
        bounced_elsewhere,
        contact.ContactComplained(at=EARLIER, organization_id=OTHER),
        contact.ContactGloballyUnsubscribed(at=EARLIER, organization_id=OTHER),
    ],
)
def test_a_suppressed_contact_can_only_disable(fact: Event) -> None:
    suppressed = given(registered, subscribed, fact)
    suppressed.when(choose(("a", False), ("b", True))).is_refused(
        {"categories.1.enabled": "suppressed_contact_cannot_be_enabled"}
    )
    suppressed.when(choose(("a", False))).then(contact.ContactCategoryDisabled(at=NOW, **SCOPE, tag="a", label="a"))


def test_a_contact_without_a_subscription_in_the_scope_is_not_found_by_its_email() -> None:
    given().when(choose(("a", False))).is_refused({"email": "not_found"})
    given(registered, subscribed_elsewhere).when(choose(("a", False))).is_refused({"email": "not_found"})


def test_the_payload_lists_what_was_set_or_what_was_asked_for() -> None:
    state = given(registered, subscribed, disabled, bounced_elsewhere).state
    payload = contact.view.preferences(state, NAMES, email=EMAIL)
    assert payload.categories == (contact.view.CategoryPayload("weekly-news", "News", enabled=False),)
    assert payload.suppressed
    assert not payload.global_unsubscribed
    assert payload.suppression_reasons == ("hard_bounce",)
    asked = contact.view.preferences(state, NAMES, email=EMAIL, tags=("Jobs", "weekly news", "jobs"))
    assert asked.categories == (
        contact.view.CategoryPayload("jobs", "jobs", enabled=True),
        contact.view.CategoryPayload("weekly-news", "News", enabled=False),
    )
    with pytest.raises(Rejected, match="invalid"):
        contact.view.preferences(state, NAMES, email=EMAIL, tags=("!",))
