"""What SES and the person tell of a message: once each, in any order, whatever was known before."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from domain import message
from domain.decider import Event
from domain.message.commands import AddressedCommand, FeedbackCommand
from domain.personal import Personal
from tests.domain.message.facts import (
    LATER,
    NOW,
    SES_ID,
    attempted,
    failed,
    given,
    planned,
    sent,
    skipped,
    unconfirmed,
)

FROM_SES: dict[str, Any] = {"at": LATER, "event_id": "n-1", "ses_message_id": SES_ID}
HEARD: dict[str, Any] = {"at": LATER, "event_id": "n-1"}
FEEDBACK: list[tuple[FeedbackCommand, Event]] = [
    (message.RecordDelivery(**FROM_SES), message.MessageDelivered(**HEARD)),
    (
        message.RecordDelay(**FROM_SES, delay_type="MailboxFull"),
        message.MessageDeliveryDelayed(**HEARD, delay_type="MailboxFull"),
    ),
    (
        message.RecordBounce(**FROM_SES, bounce_type="Permanent", bounce_subtype="General"),
        message.MessageBounced(**HEARD, bounce_type="Permanent", bounce_subtype="General"),
    ),
    (
        message.RecordComplaint(**FROM_SES, feedback_type="abuse"),
        message.MessageComplained(**HEARD, feedback_type="abuse"),
    ),
    (message.RecordRejection(**FROM_SES), message.MessageRejected(**HEARD)),
    (message.RecordRenderingFailure(**FROM_SES), message.MessageRenderingFailed(**HEARD)),
    (message.RecordOpen(**FROM_SES), message.MessageOpened(**HEARD)),
    (
        message.RecordClick(**FROM_SES, link=2, url="https://example.com/"),
        message.MessageClicked(**HEARD, link=2, url=Personal("https://example.com/")),
    ),
]
SETTLED = message.MessageSent(**HEARD, ses_message_id=SES_ID)
send = message.RecordSend(**FROM_SES)


@pytest.mark.parametrize(("command", "fact"), FEEDBACK)
def test_feedback_on_a_sent_message_is_a_fact_once(command: FeedbackCommand, fact: Event) -> None:
    there = given(planned, attempted, sent)
    there.when(command).then(fact)
    there.when(command, msgspec.structs.replace(command, at=NOW)).is_quiet()
    there.when(command, msgspec.structs.replace(command, event_id="n-2")).then(
        msgspec.structs.replace(fact, event_id="n-2")
    )


@pytest.mark.parametrize(("command", "fact"), FEEDBACK)
@pytest.mark.parametrize(
    "facts",
    [(planned, attempted), (planned, attempted, unconfirmed), (planned,), (planned, attempted, failed), (skipped,)],
    ids=["sending", "unconfirmed", "queued", "failed", "skipped"],
)
def test_feedback_proves_that_ses_has_the_mail(facts: tuple[Event, ...], command: FeedbackCommand, fact: Event) -> None:
    there = given(*facts)
    state = there.when(command).then(SETTLED, fact)
    assert (state.sent_at, state.ses_message_id) == (LATER, SES_ID)
    there.when(command, command).is_quiet()
    there.when(command, message.AttemptMessage(at=LATER, retry_unconfirmed=True)).is_refused({"status": "settled"})


COPIES: list[tuple[AddressedCommand, Event | None]] = [
    (message.RecordDelivery(**FROM_SES), message.MessageCopyDelivered(**HEARD)),
    (message.RecordDelay(**FROM_SES), None),
    (
        message.RecordBounce(**FROM_SES, bounce_type="Permanent", bounce_subtype="General"),
        message.MessageCopyBounced(**HEARD, bounce_type="Permanent", bounce_subtype="General"),
    ),
    (
        message.RecordComplaint(**FROM_SES, feedback_type="abuse"),
        message.MessageCopyComplained(**HEARD, feedback_type="abuse"),
    ),
]


@pytest.mark.parametrize(("command", "fact"), COPIES)
def test_what_became_of_a_copy_is_kept_and_changes_nothing_of_the_message(
    command: AddressedCommand, fact: Event | None
) -> None:
    there = given(planned, attempted, sent)
    copies = msgspec.structs.replace(command, to_recipient=False, to_copies=True)
    facts = () if fact is None else (fact,)
    after = there.when(copies).then(*facts)
    assert msgspec.structs.replace(after, seen=frozenset()) == there.state
    there.when(copies, copies).is_quiet()
    told_of_all, own = FEEDBACK[COPIES.index((command, fact))]
    there.when(msgspec.structs.replace(told_of_all, to_copies=True)).then(own, *facts)


def test_the_news_that_ses_has_the_mail_settles_it_and_is_quiet_afterwards() -> None:
    there = given(planned, attempted, unconfirmed)
    assert there.when(send).then(SETTLED).status == "sent"
    there.when(send, send).is_quiet()
    there.when(send, message.ConfirmSent(at=LATER, ses_message_id=SES_ID)).is_quiet()
    there.when(send, message.RecordUnconfirmed(at=LATER)).is_quiet()
    there.when(message.RecordDelivery(**FROM_SES), send).is_quiet()


def test_a_mail_that_ses_dropped_has_failed_for_good() -> None:
    reject = message.RecordRejection(**FROM_SES)
    state = given(planned, attempted).when(reject, msgspec.structs.replace(send, event_id="n-0")).done().state
    assert (state.status, state.last_error, state.sent_at) == ("failed", "rejected", LATER)
    given(planned, attempted).when(reject, message.ConfirmSent(at=LATER, ses_message_id=SES_ID)).is_quiet()


def test_the_pixel_counts_every_time_and_proves_nothing_to_the_ledger() -> None:
    opened, clicked = message.RecordOpen(at=LATER), message.RecordClick(at=LATER, link=0)
    state = given(planned, attempted).when(opened, opened, message.RecordOpen(at=NOW), clicked, clicked).done().state
    assert (state.open_count, state.first_opened_at, state.click_count) == (3, NOW, 2)
    assert (state.status, state.sent_at) == ("sending", None)


def test_times_are_the_earliest_whatever_comes_first() -> None:
    late, early = message.MessageDelivered(at=LATER, event_id="a"), message.MessageDelivered(at=NOW, event_id="b")
    assert given(planned, sent, late, early).state.delivered_at == NOW
    assert given(planned, sent, early, late).state.delivered_at == NOW


def test_a_permanent_bounce_stays_one() -> None:
    bounces = [message.MessageBounced(at=NOW, bounce_type=kind) for kind in ("Permanent", "Transient")]
    for order in (bounces, bounces[::-1]):
        assert given(planned, sent, *order).state.bounce_type == "Permanent"


def test_the_way_out_is_taken_once_per_scope() -> None:
    out = message.RecordUnsubscribe(at=LATER, scope="client")
    further = message.RecordUnsubscribe(at=LATER, scope="global")
    there = given(planned, attempted, sent)
    there.when(out).then(message.MessageUnsubscribed(at=LATER, scope="client"))
    there.when(out, out).is_quiet()
    state = there.when(out, further).then(message.MessageUnsubscribed(at=LATER, scope="global"))
    assert state.unsubscribed_at == LATER
    assert sorted(state.unsubscribed) == ["client", "global"]
