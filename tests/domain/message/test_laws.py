"""Laws of the ledger, tried on commands and facts that nobody thought of."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import message
from domain.decider import EVENT_TYPES, Event, Rejected
from domain.message import commands
from domain.message.commands import AddressedCommand, Command, FeedbackCommand
from domain.message.events import Feedback
from domain.personal import Personal
from tests.domain.cases import Given
from tests.domain.message.facts import ASKED, NOW, SES_ID, attempted, planned
from tests.domain.message.facts import given as there

times = st.integers(0, 48).map(lambda hours: NOW + timedelta(hours=hours))
reasons = st.sampled_from(["hard_bounce", "client_unsubscribe"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **{name: st.just(value) for name, value in ASKED.items()},
    "campaign_id": st.just(5),
    "content": st.just("{}"),
    "request": st.just("{}"),
    "audience_id": st.just(11),
    "category_tag": st.just(""),
    "retry_unconfirmed": st.sampled_from([False]),
    "skip_reason": st.none() | reasons,
    "reason": reasons,
    "ses_message_id": st.sampled_from(["", SES_ID]),
    "event_id": st.sampled_from(["", "n-1", "n-2", "n-3"]),
    "code": st.just("MessageRejected"),
    "delay_type": st.just("MailboxFull"),
    "bounce_type": st.sampled_from(["Permanent", "Transient"]),
    "bounce_subtype": st.just("General"),
    "feedback_type": st.just("abuse"),
    "to_recipient": st.booleans(),
    "to_copies": st.booleans(),
    "link": st.none() | st.integers(0, 3),
    "url": st.none() | st.just("https://example.com/"),
    "scope": st.sampled_from(["client", "audience", "global"]),
}
COMMANDS: list[type[Command]] = [
    kind
    for kind in vars(commands).values()
    if isinstance(kind, type) and issubclass(kind, Command) and kind not in {Command, FeedbackCommand, AddressedCommand}
]
FEEDBACK: list[type[Command]] = [kind for kind in COMMANDS if issubclass(kind, FeedbackCommand)]


@st.composite
def a_command(draw: st.DrawFn, kinds: list[type[Command]] = COMMANDS) -> Command:
    kind = draw(st.sampled_from(kinds))
    return kind(at=draw(times), **{name: draw(FIELDS[name]) for name in kind.__struct_fields__ if name != "at"})


def after(history: list[Command], *facts: Event) -> tuple[Given[message.Message], list[Event]]:
    """The message after those of the commands that hold, and what followed from them."""
    state = there(*facts)
    followed: list[Event] = []
    for command in history:
        try:
            when = state.when(command)
            followed += when.decide()
        except Rejected:
            continue
        state = when.done()
    return state, followed


def test_every_command_is_tried() -> None:
    assert len(COMMANDS) == 18
    assert len(FEEDBACK) == 9


@given(st.lists(a_command(), max_size=25))
@settings(max_examples=500)
def test_ses_is_asked_once_and_again_only_when_it_is_known_not_to_have_the_mail(history: list[Command]) -> None:
    _, followed = after(history)
    kinds = [type(fact) for fact in followed if isinstance(fact, message.MessageAttempted | message.MessageReleased)]
    assert kinds == [message.MessageAttempted, message.MessageReleased] * (len(kinds) // 2) + kinds[:1] * (
        len(kinds) % 2
    )


@given(st.lists(a_command(), max_size=25))
@settings(max_examples=300)
def test_nothing_leads_back_from_sent_and_it_is_sent_once(history: list[Command]) -> None:
    _, followed = after(history)
    kinds = [type(fact) for fact in followed]
    assert kinds.count(message.MessageSent) <= 1
    if message.MessageSent in kinds:
        later = set(kinds[kinds.index(message.MessageSent) :])
        assert not later & {message.MessageAttempted, message.MessageFailed, message.MessageSkipped}
        assert not later & {message.MessageUnconfirmed, message.MessageReleased, message.MessageRequested}


@given(st.lists(a_command(), max_size=15), a_command(FEEDBACK), times)
@settings(max_examples=300)
def test_feedback_twice_is_once(history: list[Command], command: Command, late: Any) -> None:
    state, _ = after(history, planned, attempted)
    once = state.when(command).done()
    again = once.when(msgspec.structs.replace(command, at=late)).decide()
    from_a_person = isinstance(command, FeedbackCommand) and not command.event_id
    assert from_a_person or again == ()


@given(st.lists(a_command(FEEDBACK), max_size=8), st.randoms(use_true_random=False))
@settings(max_examples=300)
def test_the_order_of_feedback_does_not_matter(history: list[Command], random: Any) -> None:
    shuffled = list(history)
    random.shuffle(shuffled)
    states = [after(order, planned, attempted)[0].state for order in (history, shuffled)]
    numbered = [command for command in history if isinstance(command, FeedbackCommand) and command.event_id]
    if len({command.event_id for command in numbered}) == len(numbered):
        one, other = (_told(state) for state in states)
        assert one == other


def _told(state: message.Message) -> dict[str, Any]:
    """All but what is known of the first to tell."""
    unlike = {"sent_at", "seen", "last_error", "bounce_type", "status"}
    return {name: value for name, value in msgspec.structs.asdict(state).items() if name not in unlike}


@given(st.lists(a_command(), max_size=20))
@settings(max_examples=200)
def test_the_state_survives_a_snapshot(history: list[Command]) -> None:
    state = after(history)[0].state
    stored = msgspec.msgpack.encode(state, enc_hook=lambda value: value.text)
    assert msgspec.msgpack.decode(stored, type=message.Message, dec_hook=lambda kind, text: kind(text)) == state


FACTS = [kind for kind, known in EVENT_TYPES.items() if known.name.partition(".")[0] in {"message", "campaign_message"}]
FACT_FIELDS = FIELDS | {name: st.just(Personal("x")) for name in ("content", "request", "url")}


@st.composite
def a_fact(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(FACTS))
    return kind(at=draw(times), **{name: draw(FACT_FIELDS[name]) for name in kind.__struct_fields__ if name != "at"})


class SomethingElseHappened(Event, frozen=True):
    """A fact of another kind of thing."""


@given(st.lists(a_fact(), max_size=15))
@settings(max_examples=300)
def test_evolve_takes_any_facts_in_any_order(facts: list[Event]) -> None:
    state = there(*facts).state
    assert message.evolve(state, SomethingElseHappened(at=NOW)) is state


@pytest.mark.parametrize("kind", FACTS)
def test_every_fact_changes_something(kind: type[Event]) -> None:
    values = dict.fromkeys(kind.__struct_fields__, "client")
    numbers: dict[str, Any] = {"campaign_id": 9, "contact_id": 9, "link": 1, "at": NOW}
    fact = kind(**{**values, **{name: value for name, value in numbers.items() if name in values}})
    assert message.evolve(message.Message(), fact) != message.Message()
    assert not issubclass(kind, Feedback) or message.evolve(message.Message(), fact).seen
