"""Subscribe, unsubscribe at every scope, and verification."""

from __future__ import annotations

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
    OWN,
    given,
    pending,
    registered,
    subscribed,
    unsubscribed,
)

SCOPE: dict[str, Any] = {"audience_id": AUDIENCE, "client_id": CLIENT}
WHO: dict[str, Any] = {"at": NOW, "organization_id": OWN, **SCOPE}
first_seen = contact.ContactRegistered(at=NOW, email=Address(EMAIL), organization_id=OWN)


def unsubscribe(scope: contact.UnsubscribeScope, reason: str | None = None) -> contact.Unsubscribe:
    return contact.Unsubscribe(**WHO, email=EMAIL, scope=scope, reason=reason)


def test_subscribe_makes_a_verified_subscription_with_tags() -> None:
    given().when(contact.Subscribe(**WHO, email=EMAIL, tags=("ML",))).then(
        first_seen,
        contact.ContactSubscribed(at=NOW, organization_id=OWN, **SCOPE, verified_at=NOW),
        contact.ContactTagged(at=NOW, audience_id=AUDIENCE, tags=(contact.Tag("ml", "ML"),)),
    )


def test_subscribe_verifies_a_pending_contact_and_brings_back_one_that_left() -> None:
    command = contact.Subscribe(**WHO, email=EMAIL)
    given(registered, pending).when(command).then(
        contact.ContactSubscribed(at=NOW, organization_id=OWN, **SCOPE, verified_at=NOW)
    )
    given(registered, unsubscribed).when(command).then(
        contact.ContactResubscribed(at=NOW, organization_id=OWN, **SCOPE, verified_at=NOW)
    )


def test_subscribe_keeps_an_earlier_verification() -> None:
    command = contact.Subscribe(**WHO, email=EMAIL)
    given(registered, subscribed).when(command).is_quiet()
    state = given(registered, subscribed, unsubscribed).when(command).done().state
    assert state.subscriptions[AUDIENCE, CLIENT].verified_at == EARLIER


@pytest.mark.parametrize(
    ("scope", "fact"),
    [
        (
            "client",
            contact.ContactUnsubscribed(
                at=NOW, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT, reason=Personal("enough")
            ),
        ),
        (
            "audience",
            contact.ContactUnsubscribed(
                at=NOW, organization_id=OWN, audience_id=AUDIENCE, client_id=0, reason=Personal("enough")
            ),
        ),
        ("global", contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OWN, reason=Personal("enough"))),
    ],
)
def test_unsubscribe_records_the_opt_out_even_of_an_address_never_seen(scope: Any, fact: Any) -> None:
    command = unsubscribe(scope, "enough")
    given(registered, subscribed).when(command).then(fact)
    given().when(command).then(first_seen, fact)
    given(registered, subscribed, fact).when(command).is_quiet()
    given(registered, subscribed, fact).when(unsubscribe(scope)).is_quiet()


def test_an_audience_opt_out_leaves_the_client_subscription() -> None:
    state = given(registered, subscribed).when(unsubscribe("audience")).done().state
    assert state.subscriptions[AUDIENCE, CLIENT].status == "subscribed"
    assert state.subscriptions[AUDIENCE, 0].status == "unsubscribed"


def test_a_global_opt_out_is_recorded_by_each_organization() -> None:
    elsewhere = contact.ContactGloballyUnsubscribed(at=EARLIER, organization_id=OTHER)
    given(registered, subscribed, elsewhere).when(unsubscribe("global")).then(
        contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OWN)
    )


def test_verify_takes_the_time_that_was_said_and_keeps_an_earlier_one_otherwise() -> None:
    given(registered, pending).when(contact.VerifyContact(**WHO)).then(
        contact.ContactVerified(at=NOW, **SCOPE, verified_at=NOW)
    )
    given(registered, subscribed).when(contact.VerifyContact(**WHO)).is_quiet()
    given(registered, subscribed).when(contact.VerifyContact(**WHO, verified_at=EARLIER)).is_quiet()
    given(registered, subscribed).when(contact.VerifyContact(**WHO, verified_at=LATER)).then(
        contact.ContactVerified(at=NOW, **SCOPE, verified_at=LATER)
    )


def test_verification_is_withdrawn_once() -> None:
    command = contact.WithdrawVerification(**WHO)
    given(registered, subscribed).when(command).then(contact.ContactVerificationWithdrawn(at=NOW, **SCOPE))
    given(registered, pending).when(command).is_quiet()


def test_a_global_verification_belongs_to_no_scope() -> None:
    everywhere: dict[str, Any] = {"at": NOW, "organization_id": OWN, "audience_id": 0, "client_id": 0}
    verify = contact.VerifyContact(**everywhere)
    state = given(registered).when(verify).done().state
    assert state.verified_at == NOW
    withdrawn = given(registered).when(verify, contact.WithdrawVerification(**everywhere)).done().state
    assert withdrawn.verified_at is None
    given().when(verify).is_refused({"contact_id": "not_found"})


@pytest.mark.parametrize("command", [contact.VerifyContact(**WHO), contact.WithdrawVerification(**WHO)])
def test_verification_needs_a_subscription_in_the_scope(command: Any) -> None:
    given().when(command).is_refused({"contact_id": "not_found"})
    given(registered).when(command).is_refused({"contact_id": "not_found"})


def test_a_contact_may_exist_without_a_subscription() -> None:
    given().when(contact.RegisterContact(at=NOW, organization_id=OWN, email=EMAIL)).then(first_seen)
    given(registered).when(contact.RegisterContact(at=NOW, organization_id=OWN, email=EMAIL)).is_quiet()
    state = (
        given(registered)
        .when(contact.RegisterContact(at=NOW, organization_id=OTHER, email=EMAIL))
        .then(contact.ContactAddressed(at=NOW, organization_id=OTHER))
    )
    assert state.organizations == {OWN, OTHER}
