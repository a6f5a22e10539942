"""The contact payload, field for field as the contract prints it, and the flags that senders ask for."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from domain import contact
from domain.contact import view
from domain.decider import Event
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
    pending,
    registered,
    subscribed,
    subscribed_elsewhere,
    unsubscribed,
)

NAMES = view.Names(AUDIENCE, CLIENT, "dtc-courses", "dtc-courses")


def test_the_payload_is_the_contracts() -> None:
    noon = datetime(2026, 5, 24, 12, tzinfo=UTC)
    verdict = contact.EmailVerdict(status="externally_validated", reason="client signup validation", validated_at=noon)
    command = contact.UpsertContact(
        at=noon,
        organization_id=OWN,
        audience_id=AUDIENCE,
        client_id=CLIENT,
        email=EMAIL,
        status="subscribed",
        verified=True,
        tags=("course ML zoomcamp", "a"),
        validation=verdict,
    )
    payload = view.payload(given().when(command).done().state, 42, NAMES)
    assert msgspec.json.encode(payload).decode() == (
        '{"contact_id":42,"email":"learner@example.com","exists":true,"verified":false,"verified_at":null,'
        '"email_validation":{"status":"externally_validated","reason":"client signup validation",'
        '"validated_at":"2026-05-24T12:00:00Z"},'
        '"global_unsubscribed":false,"hard_bounced":false,"complained":false,'
        '"audience":{"slug":"dtc-courses","subscribed":false,"status":null,"verified":false,"verified_at":null,'
        '"unsubscribed_at":null,"unsubscribe_reason":""},'
        '"client":{"slug":"dtc-courses","subscribed":true,"status":"subscribed","verified":true,'
        '"verified_at":"2026-05-24T12:00:00Z","unsubscribed_at":null,"unsubscribe_reason":""},'
        '"can_send_marketing":true,"can_send_transactional":true,"tags":["a","course-ml-zoomcamp"]}'
    )


def test_an_unsubscribe_shows_its_time_and_reason_and_tags_can_be_left_out() -> None:
    state = given(registered, subscribed, unsubscribed).state
    payload = view.payload(state, 42, NAMES, tags=False)
    assert payload.client == view.SubscriptionPayload(
        "dtc-courses",
        status="unsubscribed",
        verified=True,
        verified_at=EARLIER,
        unsubscribed_at=EARLIER,
        unsubscribe_reason="too many",
    )
    assert "tags" not in msgspec.to_builtins(payload)


def test_an_absent_contact_has_every_flag_false() -> None:
    shown = msgspec.to_builtins(view.absent("who@example.com", NAMES))
    assert shown["contact_id"] is None
    assert shown["email"] == "who@example.com"
    flags = ("exists", "verified", "global_unsubscribed", "hard_bounced", "complained")
    assert not any(shown[flag] for flag in (*flags, "can_send_marketing", "can_send_transactional"))
    assert list(shown) == [name for name in view.ContactPayload.__struct_fields__ if name != "tags"]


def test_a_contact_exists_for_a_client_only_by_its_own_subscription() -> None:
    state = given(registered, subscribed_elsewhere).state
    assert not view.has_subscription(state, AUDIENCE, CLIENT)
    assert view.has_subscription(given(registered, pending).state, AUDIENCE, CLIENT)


def verified(audience_id: int, client_id: int) -> Event:
    return contact.ContactVerified(at=NOW, audience_id=audience_id, client_id=client_id, verified_at=NOW)


def at_audience(fact: type[Any]) -> Event:
    event: Event = fact(at=NOW, organization_id=OWN, audience_id=AUDIENCE, client_id=0)
    return event


def judged(status: contact.ValidationStatus) -> Event:
    return contact.ContactEmailValidated(at=NOW, organization_id=OTHER, status=status, reason=Personal("x"))


unverified = contact.ContactSubscribed(at=EARLIER, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT)


@pytest.mark.parametrize(
    "facts",
    [
        (subscribed,),
        (unverified, verified(0, 0)),
        (unverified, at_audience(contact.ContactSubscribed), verified(AUDIENCE, 0)),
        (subscribed, at_audience(contact.ContactAwaitingConfirmation)),
        (subscribed, judged("unknown")),
        (subscribed, judged("valid")),
        (subscribed, judged("externally_validated")),
    ],
)
def test_a_campaign_may_reach(facts: tuple[Event, ...]) -> None:
    assert view.can_send_marketing(given(registered, *facts).state, AUDIENCE, CLIENT)


@pytest.mark.parametrize(
    "facts",
    [
        (),
        (unverified,),
        (pending, verified(AUDIENCE, CLIENT)),
        (subscribed, unsubscribed),
        (subscribed, at_audience(contact.ContactUnsubscribed)),
        (subscribed, contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OTHER)),
        (subscribed, bounced_elsewhere),
        (subscribed, contact.ContactComplained(at=NOW, organization_id=OTHER)),
        (subscribed, judged("invalid_syntax")),
        (subscribed, judged("no_mx")),
        (subscribed, judged("disposable")),
        (subscribed, judged("risky")),
        (subscribed, judged("manually_invalid")),
    ],
)
def test_a_campaign_may_not_reach(facts: tuple[Event, ...]) -> None:
    assert not view.can_send_marketing(given(registered, *facts).state, AUDIENCE, CLIENT)


def test_transactional_mail_stops_at_bounces_and_complaints_only() -> None:
    opted_out = contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OWN)
    complained = contact.ContactComplained(at=NOW, organization_id=OTHER)
    assert view.can_send_transactional(given(registered, unsubscribed, opted_out).state)
    assert not view.can_send_transactional(given(registered, bounced_elsewhere).state)
    assert not view.can_send_transactional(given(registered, complained).state)
    assert not view.can_send_transactional(given().state)
