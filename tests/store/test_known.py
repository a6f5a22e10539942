"""What is decided on a guess stands only where the log agrees."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from domain import message
from domain.message import Message
from domain.message.content import content_of
from domain.store.known import Known, handle_known
from domain.store.log import Store
from domain.store.order import Accepted, Outcome, Refused
from tests.consumers.mailing import a_request, order, people
from tests.store.conftest import NOON

NEW = Known(0, Message())
QUEUED = Known(1, Message(status="queued", campaign_id=7, contact_id=1))
ATTEMPT = message.AttemptMessage(at=NOON)
PLAN = message.PlanMessage(at=NOON, campaign_id=7, contact_id=1)
SKIP = message.PlanMessage(at=NOON, campaign_id=7, contact_id=1, skip_reason="unverified")
SENT = message.ConfirmSent(at=NOON, ses_message_id="m")
COMMANDS: list[message.PlanMessage | message.AttemptMessage | message.ConfirmSent] = [PLAN, SKIP, ATTEMPT, SENT]


def tried(store: Store, guess: Known, command: object, number: int = 1) -> Outcome:
    [outcome] = handle_known(store, [order(message.of_campaign, command, number=number, contact_id=1)], [guess])
    return outcome


def topics(store: Store) -> list[str]:
    return [recorded.topic for recorded in store.read(0, 10_000)]


def test_a_right_guess_is_appended_as_it_is(store: Store) -> None:
    planned = tried(store, NEW, PLAN)
    attempted = tried(store, QUEUED, ATTEMPT)
    assert isinstance(planned, Accepted)
    assert isinstance(attempted, Accepted)
    assert (planned.version, attempted.version, attempted.state.status) == (1, 2, "sending")
    assert attempted.position == planned.position + 1 == store.recorder.head()
    assert topics(store) == ["campaign_message.requested@1", "message.attempted@1"]
    [loaded] = store.load(message.of_campaign, numbers=[1])
    assert loaded.state == replace(attempted.state, requested_at=NOON)


def test_a_wrong_guess_is_decided_on_the_log(store: Store) -> None:
    tried(store, NEW, PLAN)
    again = tried(store, NEW, SKIP)
    assert isinstance(again, Accepted)
    assert (again.events, again.state.status) == ((), "queued")
    tried(store, QUEUED, ATTEMPT)
    second = tried(store, QUEUED, ATTEMPT)
    assert isinstance(second, Refused)
    assert second.error.fields == {"status": "already_attempted"}
    late = tried(store, NEW, SENT)
    assert isinstance(late, Accepted)
    assert (late.version, late.state.status) == (3, "sent")
    assert topics(store) == ["campaign_message.requested@1", "message.attempted@1", "message.sent@1"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.tuples(st.sampled_from(COMMANDS), st.integers(0, 3)), max_size=6))
def test_how_old_the_knowledge_is_changes_nothing(
    store: Store, steps: list[tuple[message.PlanMessage | message.AttemptMessage | message.ConfirmSent, int]]
) -> None:
    """Law: outcomes are those of the same commands on a loaded stream, whatever past of it was known."""
    stream = (1 + store.recorder.head()) << 48
    past = [NEW]
    for command, age in steps:
        [expected] = store.handle(order(message.of_campaign, command, number=stream, contact_id=1))
        outcome = tried(store, past[-1 - min(age, len(past) - 1)], command, stream | 1)
        assert type(outcome) is type(expected)
        if isinstance(outcome, Accepted) and isinstance(expected, Accepted):
            assert (outcome.version, outcome.state, outcome.events) == (
                expected.version,
                expected.state,
                expected.events,
            )
            past.append(Known(outcome.version, outcome.state))


def test_of_two_who_guess_the_same_one_attempts(store: Store, open_store: Callable[[], Store]) -> None:
    numbers = range(1, 600)
    plans = [order(message.of_campaign, PLAN, number=number, contact_id=1) for number in numbers]
    handle_known(store, plans, [NEW] * len(plans))
    attempts = [order(message.of_campaign, ATTEMPT, number=number, contact_id=1) for number in numbers]
    with ThreadPoolExecutor(4) as pool:
        calls = [pool.submit(handle_known, open_store(), attempts, [QUEUED] * len(attempts)) for _ in range(4)]
    for outcomes in zip(*(call.result() for call in calls), strict=True):
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Accepted", *["Refused"] * 3]
    assert topics(store).count("message.attempted@1") == len(numbers)


def test_orders_for_one_stream_follow_each_other(store: Store) -> None:
    orders = [order(message.of_campaign, command, number=1, contact_id=1) for command in (PLAN, ATTEMPT)]
    outcomes = handle_known(store, orders, [NEW, NEW])
    assert [outcome.version for outcome in outcomes if isinstance(outcome, Accepted)] == [1, 2]


def test_personal_data_is_sealed_by_the_contacts_keys(store: Store) -> None:
    [contact_id] = people(store, 1)
    named = replace(a_request(contact_id, "k"), key=None, number=9)
    [outcome] = handle_known(store, [named], [NEW])
    assert isinstance(outcome, Accepted)
    [attempted] = store.handle(order(message.transactional, ATTEMPT, number=9, contact_id=contact_id))
    assert isinstance(attempted, Accepted)
    content = content_of(attempted.state.requested.content)
    assert content is not None
    assert content.subject == "Your password"
