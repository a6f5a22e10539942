"""The ledger of sending: who may ask SES, and what its answer or its silence makes of a message."""

from __future__ import annotations

from uuid import UUID

import msgspec
import pytest

from domain import message
from domain.decider import Event
from tests.domain.cases import Given
from tests.domain.message.facts import (
    ASKED,
    LATER,
    NOW,
    SES_ID,
    attempted,
    failed,
    given,
    planned,
    released,
    request,
    requested,
    sent,
    skipped,
    unconfirmed,
)

attempt = message.AttemptMessage(at=LATER)
again = message.AttemptMessage(at=LATER, retry_unconfirmed=True)
confirm = message.ConfirmSent(at=LATER, ses_message_id=SES_ID)
fail = message.RecordFailure(at=LATER, code="MessageRejected")
lose = message.RecordUnconfirmed(at=LATER)
release = message.ReleaseMessage(at=LATER, reason="throttled")
skip = message.SkipMessage(at=LATER, reason="complaint")


def test_a_transactional_message_is_requested_once() -> None:
    there = Given(message.transactional)
    state = there.when(request).then(requested)
    assert (state.status, state.requested, state.contact_id) == ("queued", requested, 77)
    there.when(request, msgspec.structs.replace(request, at=LATER, content="{}")).is_quiet()


def test_a_suppressed_request_is_on_record_and_never_attempted() -> None:
    suppressed = msgspec.structs.replace(request, skip_reason="hard_bounce")
    state = Given(message.transactional).when(suppressed).then(requested, skipped)
    assert (state.status, state.skip_reason) == ("skipped", "hard_bounce")
    Given(message.transactional).when(suppressed, attempt).is_refused({"status": "settled"})


def test_a_campaigns_message_is_planned_once_either_way() -> None:
    plan = message.PlanMessage(at=NOW, campaign_id=5, contact_id=77)
    no = msgspec.structs.replace(plan, skip_reason="hard_bounce")
    assert given().when(plan).then(planned).status == "queued"
    assert given().when(no).then(skipped).skip_reason == "hard_bounce"
    given(planned).when(no).is_quiet()
    given(skipped).when(plan).is_quiet()


def test_a_message_of_a_campaign_is_told_from_its_stream() -> None:
    number = message.campaign_message_number(5, 77)
    stream = UUID(int=message.of_campaign.kind << 96 | number)
    assert message.campaign_and_contact(stream) == (5, 77)


@pytest.mark.parametrize(
    ("facts", "command", "follows"),
    [
        ((planned,), attempt, message.MessageAttempted(at=LATER)),
        ((planned, attempted), confirm, message.MessageSent(at=LATER, ses_message_id=SES_ID)),
        ((planned, attempted), fail, message.MessageFailed(at=LATER, code="MessageRejected")),
        ((planned, attempted), lose, message.MessageUnconfirmed(at=LATER)),
        ((planned,), fail, message.MessageFailed(at=LATER, code="MessageRejected")),
        ((planned,), skip, message.MessageSkipped(at=LATER, reason="complaint")),
        ((planned, attempted), release, released),
        ((planned, attempted, unconfirmed), release, released),
        ((planned, attempted, released), attempt, message.MessageAttempted(at=LATER)),
        ((planned, attempted, released), skip, message.MessageSkipped(at=LATER, reason="complaint")),
        ((planned, attempted, unconfirmed), confirm, message.MessageSent(at=LATER, ses_message_id=SES_ID)),
        ((planned, attempted, unconfirmed), again, message.MessageAttempted(at=LATER)),
        ((planned, attempted, unconfirmed), fail, message.MessageFailed(at=LATER, code="MessageRejected")),
    ],
)
def test_the_ways_forward(facts: tuple[Event, ...], command: message.AttemptMessage, follows: Event) -> None:
    given(*facts).when(command).then(follows)


@pytest.mark.parametrize(
    ("facts", "command"),
    [
        ((planned, attempted, sent), confirm),
        ((planned, attempted, sent), fail),
        ((planned, attempted, sent), lose),
        ((planned, attempted, unconfirmed), lose),
        ((planned, attempted, failed), fail),
        ((planned, attempted, failed), lose),
        ((skipped,), skip),
        ((planned,), release),
        ((planned, attempted, released), release),
    ],
)
def test_what_is_settled_already_is_quiet(facts: tuple[Event, ...], command: message.AttemptMessage) -> None:
    given(*facts).when(command).is_quiet()


@pytest.mark.parametrize(
    ("facts", "command", "code"),
    [
        ((planned, attempted), attempt, "already_attempted"),
        ((planned, attempted), again, "already_attempted"),
        ((planned, attempted, unconfirmed), attempt, "already_attempted"),
        ((planned, attempted, sent), again, "settled"),
        ((planned, attempted, failed), again, "settled"),
        ((skipped,), again, "settled"),
        ((planned,), confirm, "not_attempted"),
        ((planned,), lose, "not_attempted"),
        ((planned, attempted, sent), release, "settled"),
        ((planned, attempted, failed), release, "settled"),
        ((skipped,), release, "settled"),
        ((skipped,), confirm, "not_attempted"),
        ((skipped,), fail, "not_attempted"),
        ((planned, attempted), skip, "already_attempted"),
        ((planned, attempted, sent), skip, "already_attempted"),
    ],
)
def test_what_would_break_the_ledger_is_refused(
    facts: tuple[Event, ...], command: message.AttemptMessage, code: str
) -> None:
    given(*facts).when(command).is_refused({"status": code})


@pytest.mark.parametrize("command", [attempt, confirm, fail, lose, release, skip, message.RecordOpen(at=NOW)])
def test_a_message_that_is_none_is_not_found(command: message.AttemptMessage) -> None:
    given().when(command).is_refused({"message": "not_found"})


def test_a_template_may_want_twice_rather_than_never() -> None:
    stubborn = msgspec.structs.replace(requested, retry_unconfirmed=True)
    there = Given(message.transactional, stubborn, attempted, unconfirmed)
    assert there.when(attempt).done().state.attempts == 2
    Given(message.transactional, requested, attempted, unconfirmed).when(attempt).is_refused(
        {"status": "already_attempted"}
    )
    assert ASKED["contact_id"] == there.state.contact_id


def test_such_a_message_waits_again_when_the_answer_is_missing_but_not_for_ever() -> None:
    stubborn = msgspec.structs.replace(requested, retry_unconfirmed=True)
    again_queued = message.MessageReleased(at=lose.at, reason="unconfirmed")
    there = Given(message.transactional, stubborn, attempted)
    state = there.when(lose).then(message.MessageUnconfirmed(at=lose.at), again_queued)
    assert (state.status, state.last_error) == ("queued", "unconfirmed")
    tried = [fact for _ in range(4) for fact in (attempted, unconfirmed, again_queued)]
    Given(message.transactional, stubborn, *tried, attempted).when(lose).then(message.MessageUnconfirmed(at=lose.at))
    Given(message.transactional, requested, attempted).when(lose).then(message.MessageUnconfirmed(at=lose.at))
    Given(message.transactional, stubborn, attempted, sent).when(lose).is_quiet()
