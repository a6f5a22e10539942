"""Suppressions and verdicts on the address: whose they are, and who may take them back."""

from __future__ import annotations

from typing import Any

import pytest

from domain import contact
from domain.personal import Personal
from tests.domain.contact.facts import (
    AUDIENCE,
    CLIENT,
    EARLIER,
    LATER,
    NOW,
    OTHER,
    OWN,
    bounced_elsewhere,
    given,
    registered,
    subscribed,
    subscribed_elsewhere,
)

WHO: dict[str, Any] = {"at": NOW, "organization_id": OWN, "audience_id": AUDIENCE, "client_id": CLIENT}


def suppress(**said: Any) -> contact.SuppressContact:
    return contact.SuppressContact(**WHO, suppressions=contact.Suppressions(**said))


def validate(**said: Any) -> contact.ValidateEmail:
    return contact.ValidateEmail(**WHO, verdict=contact.EmailVerdict(**said))


def test_every_flag_is_recorded_with_its_reason_and_lifted() -> None:
    reason = Personal("asked by mail")
    marked = suppress(global_unsubscribed=True, hard_bounced=True, complained=True, reason="asked by mail")
    given(registered, subscribed).when(marked).then(
        contact.ContactGloballyUnsubscribed(at=NOW, organization_id=OWN, reason=reason),
        contact.ContactHardBounced(at=NOW, organization_id=OWN, reason=reason),
        contact.ContactComplained(at=NOW, organization_id=OWN, reason=reason),
    )
    cleared = suppress(global_unsubscribed=False, hard_bounced=False, complained=False)
    state = (
        given(registered, subscribed)
        .when(marked, cleared)
        .then(
            contact.ContactGlobalUnsubscribeLifted(at=NOW, organization_id=OWN),
            contact.ContactHardBounceLifted(at=NOW, organization_id=OWN),
            contact.ContactComplaintLifted(at=NOW, organization_id=OWN),
        )
    )
    assert contact.view.suppression_reasons(state) == ()


def test_what_is_so_already_or_was_not_said_is_quiet() -> None:
    given(registered, subscribed).when(suppress()).is_quiet()
    given(registered, subscribed).when(suppress(hard_bounced=False, complained=False)).is_quiet()
    given(registered, subscribed).when(suppress(hard_bounced=True), suppress(hard_bounced=True, reason="x")).is_quiet()


def test_all_foreign_flags_are_refused_at_once_and_nothing_happens() -> None:
    complained = contact.ContactComplained(at=EARLIER, organization_id=OTHER)
    given(registered, subscribed, bounced_elsewhere, complained).when(
        suppress(global_unsubscribed=True, hard_bounced=False, complained=False)
    ).is_refused({"hard_bounced": "forbidden", "complained": "forbidden"})


def test_a_flag_stands_while_any_record_does() -> None:
    both = given(registered, subscribed, bounced_elsewhere).when(suppress(hard_bounced=True)).done()
    state = both.when(suppress(hard_bounced=False)).then(contact.ContactHardBounceLifted(at=NOW, organization_id=OWN))
    assert contact.view.suppression_reasons(state) == ("hard_bounce",)
    both.when(suppress(hard_bounced=False), suppress(hard_bounced=False)).is_refused({"hard_bounced": "forbidden"})


@pytest.mark.parametrize("command", [suppress(hard_bounced=True), validate(status="valid")])
def test_a_subscription_in_the_scope_is_needed(command: Any) -> None:
    given().when(command).is_refused({"contact_id": "not_found"})
    given(registered, subscribed_elsewhere).when(command).is_refused({"contact_id": "not_found"})


def test_bounces_and_complaints_are_recorded_once_per_organization() -> None:
    bounce = contact.RecordHardBounce(at=NOW, organization_id=OWN, reason="550")
    complaint = contact.RecordComplaint(at=NOW, organization_id=OWN)
    given(registered, bounced_elsewhere).when(bounce).then(
        contact.ContactHardBounced(at=NOW, organization_id=OWN, reason=Personal("550"))
    )
    given(registered).when(bounce, bounce).is_quiet()
    given(registered).when(complaint).then(contact.ContactComplained(at=NOW, organization_id=OWN))
    given(registered).when(complaint, complaint).is_quiet()


def test_a_late_bounce_neither_revives_a_contact_that_is_gone_nor_brings_words_about_it() -> None:
    bounce = contact.RecordHardBounce(at=LATER, organization_id=OWN, reason="550")
    erase = contact.EraseContact(at=NOW, organization_id=OWN)
    given(registered, subscribed).when(erase, bounce).is_quiet()
    state = (
        given(registered, subscribed, subscribed_elsewhere)
        .when(erase, bounce)
        .then(contact.ContactHardBounced(at=LATER, organization_id=OWN))
    )
    assert state.organizations == {OTHER}


def test_a_verdict_is_dated_when_status_or_reason_change() -> None:
    valid = contact.ContactEmailValidated(at=EARLIER, organization_id=OTHER, status="valid", validated_at=EARLIER)
    judged = given(registered, subscribed, valid)
    judged.when(validate(status="valid")).is_quiet()
    judged.when(validate(status="valid", validated_at=EARLIER)).is_quiet()
    judged.when(validate(status="valid", validated_at=LATER)).then(
        contact.ContactEmailValidated(at=NOW, organization_id=OWN, status="valid", validated_at=LATER)
    )
    judged.when(validate(status="valid", reason="seen")).then(
        contact.ContactEmailValidated(
            at=NOW, organization_id=OWN, status="valid", reason=Personal("seen"), validated_at=NOW
        )
    )
    judged.when(validate(status="unknown", validated_at=LATER)).then(
        contact.ContactEmailValidated(at=NOW, organization_id=OWN, status="unknown")
    )


def test_a_reason_that_was_not_said_stays_its_organizations_own() -> None:
    risky = contact.ContactEmailValidated(
        at=EARLIER, organization_id=OTHER, status="risky", reason=Personal("trap"), validated_at=EARLIER
    )
    state = given(registered, subscribed, risky).when(validate(status="valid")).done().state
    assert state.validation == contact.EmailValidation("valid", Personal("trap"), NOW, OTHER)
    state = given(registered, subscribed, risky).when(validate(status="valid", reason="")).done().state
    assert contact.text_of(state.validation.reason) == ""
    assert state.validation.organization_id == OWN
