"""Upserts: what a request does not say, it does not change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain import contact
from domain.personal import Address, Personal
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    EMAIL,
    LATER,
    NOW,
    OTHER,
    OTHER_AUDIENCE,
    OTHER_CLIENT,
    OWN,
    bounced_elsewhere,
    given,
    pending,
    registered,
    subscribed,
    tagged,
    unsubscribed,
)

SCOPE: dict[str, Any] = {"audience_id": AUDIENCE, "client_id": CLIENT}


def upsert(**said: Any) -> contact.UpsertContact:
    return contact.UpsertContact(**{"at": NOW, "organization_id": OWN, **SCOPE, "email": EMAIL, **said})


def test_a_new_subscribed_verified_contact_with_tags_is_three_facts() -> None:
    command = upsert(status="subscribed", verified=True, tags=("ML Zoomcamp", "de"))
    given().when(command).then(
        contact.ContactRegistered(at=NOW, email=Address(EMAIL), organization_id=OWN),
        contact.ContactSubscribed(at=NOW, organization_id=OWN, **SCOPE, verified_at=NOW),
        contact.ContactTagged(
            at=NOW, audience_id=AUDIENCE, tags=(contact.Tag("ml-zoomcamp", "ML Zoomcamp"), contact.Tag("de", "de"))
        ),
    )


def test_a_new_contact_about_whom_nothing_is_said_is_pending_and_unverified() -> None:
    state = (
        given()
        .when(upsert())
        .then(
            contact.ContactRegistered(at=NOW, email=Address(EMAIL), organization_id=OWN),
            contact.ContactAwaitingConfirmation(at=NOW, organization_id=OWN, **SCOPE),
        )
    )
    assert state.subscriptions == {(AUDIENCE, CLIENT): contact.Subscription(OWN, "pending")}


def test_another_organization_meets_the_same_contact() -> None:
    scope: dict[str, Any] = {"organization_id": OTHER, "audience_id": OTHER_AUDIENCE, "client_id": OTHER_CLIENT}
    state = (
        given(registered, subscribed).when(upsert(**scope)).then(contact.ContactAwaitingConfirmation(at=NOW, **scope))
    )
    assert state.organizations == {OWN, OTHER}


@pytest.mark.parametrize("fact", [pending, subscribed, unsubscribed])
def test_an_upsert_that_only_adds_a_tag_leaves_the_subscription(fact: Any) -> None:
    given(registered, fact).when(upsert(tags=("New",))).then(
        contact.ContactTagged(at=NOW, audience_id=AUDIENCE, tags=(contact.Tag("new", "New"),))
    )


@pytest.mark.parametrize("fact", [pending, subscribed, unsubscribed])
def test_an_upsert_with_nothing_new_is_quiet(fact: Any) -> None:
    given(registered, fact, tagged).when(upsert(tags=("ml", "ML"))).is_quiet()


def test_a_pending_contact_subscribes_and_a_subscribed_one_goes_back_to_pending() -> None:
    given(registered, pending).when(upsert(status="subscribed")).then(
        contact.ContactSubscribed(at=NOW, organization_id=OWN, **SCOPE)
    )
    state = (
        given(registered, subscribed)
        .when(upsert(status="pending"))
        .then(contact.ContactAwaitingConfirmation(at=NOW, organization_id=OWN, **SCOPE))
    )
    assert state.subscriptions[AUDIENCE, CLIENT].verified_at == EARLIER


def test_coming_back_after_an_unsubscribe_is_a_fact_of_its_own() -> None:
    state = (
        given(registered, unsubscribed)
        .when(upsert(status="subscribed", verified=True))
        .then(contact.ContactResubscribed(at=NOW, organization_id=OWN, **SCOPE, verified_at=NOW))
    )
    assert state.subscriptions[AUDIENCE, CLIENT] == contact.Subscription(OWN, "subscribed", NOW)


def test_a_verified_unsubscribed_contact_is_two_facts() -> None:
    given(registered).when(upsert(status="unsubscribed", verified=True, unsubscribe_reason="moved")).then(
        contact.ContactUnsubscribed(at=NOW, organization_id=OWN, **SCOPE, reason=Personal("moved")),
        contact.ContactVerified(at=NOW, **SCOPE, verified_at=NOW),
    )


def test_verified_true_keeps_an_earlier_time_and_false_takes_it_back() -> None:
    given(registered, pending).when(upsert(verified=True)).then(
        contact.ContactVerified(at=NOW, **SCOPE, verified_at=NOW)
    )
    given(registered, subscribed).when(upsert(verified=True)).is_quiet()
    given(registered, subscribed).when(upsert(verified=False)).then(
        contact.ContactVerificationWithdrawn(at=NOW, **SCOPE)
    )
    given(registered, pending).when(upsert(verified=False)).is_quiet()


def test_another_reason_for_an_unsubscribe_keeps_its_time() -> None:
    state = (
        given(registered, unsubscribed)
        .when(upsert(unsubscribe_reason="moved"))
        .then(contact.ContactUnsubscribeExplained(at=NOW, **SCOPE, reason=Personal("moved")))
    )
    assert state.subscriptions[AUDIENCE, CLIENT].unsubscribed_at == EARLIER
    given(registered, unsubscribed).when(upsert(unsubscribe_reason="too many")).is_quiet()
    given(registered, subscribed).when(upsert(unsubscribe_reason="moved")).is_quiet()


@pytest.mark.parametrize(
    ("verdict", "reason", "validated_at"),
    [
        (contact.EmailVerdict(status="valid"), None, NOW),
        (contact.EmailVerdict(status="valid", reason="smtp"), "smtp", NOW),
        (contact.EmailVerdict(status="valid", validated_at=LATER), None, LATER),
        (contact.EmailVerdict(reason="asked"), "asked", None),
        (contact.EmailVerdict(reason="asked", validated_at=LATER), "asked", None),
    ],
)
def test_a_first_verdict(verdict: contact.EmailVerdict, reason: str | None, validated_at: datetime | None) -> None:
    given(registered, subscribed).when(upsert(validation=verdict)).then(
        contact.ContactEmailValidated(
            at=NOW,
            organization_id=OWN,
            status=verdict.status or "unknown",
            reason=None if reason is None else Personal(reason),
            validated_at=validated_at,
        )
    )


def test_suppressions_are_recorded_and_lifted_by_name() -> None:
    marked = contact.Suppressions(global_unsubscribed=True, hard_bounced=True, complained=False)
    cleared = contact.Suppressions(global_unsubscribed=False, hard_bounced=False)
    given(registered, subscribed).when(upsert(suppressions=marked)).then(
        contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OWN),
        contact.ContactHardBounced(at=NOW, organization_id=OWN),
    )
    given(registered, subscribed).when(upsert(suppressions=marked), upsert(suppressions=cleared)).then(
        contact.ContactGlobalUnsubscribeLifted(at=NOW, organization_id=OWN),
        contact.ContactHardBounceLifted(at=NOW, organization_id=OWN),
    )


def test_what_another_organization_recorded_cannot_be_lifted() -> None:
    command = upsert(suppressions=contact.Suppressions(hard_bounced=False, field_prefix="suppression."))
    given(registered, subscribed, bounced_elsewhere).when(command).is_refused({"suppression.hard_bounced": "forbidden"})


@pytest.mark.parametrize(("name", "code"), [("!!!", "invalid"), ("a" * 121, "too_long")])
def test_a_bad_tag_refuses_the_whole_upsert(name: str, code: str) -> None:
    given().when(upsert(tags=("fine", name))).is_refused({"tags": code})
