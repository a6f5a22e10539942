"""Laws of the contact, tried on commands and facts that nobody thought of."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import contact
from domain.contact import commands
from domain.decider import EVENT_TYPES, Event, Rejected
from domain.personal import Address, Personal
from tests.domain.cases import Given
from tests.domain.contact.facts import NOW

SCOPES = [(1, 11, 21), (1, 11, 0), (1, 12, 22), (2, 13, 23), (2, 13, 24)]
TAGS = ["ML", "ml", "de", "Wéird Náme"]
REASONS = [None, "", "too many", "moved"]

times = st.integers(0, 48).map(lambda hours: NOW + timedelta(hours=hours))
ids = st.integers(1, 3)
flags = st.sampled_from([None, True, False])
verdicts = st.builds(
    contact.EmailVerdict,
    status=st.sampled_from([None, "unknown", "valid", "risky"]),
    reason=st.sampled_from(REASONS),
    validated_at=st.none() | times,
)
suppressions = st.builds(
    contact.Suppressions,
    global_unsubscribed=flags,
    hard_bounced=flags,
    complained=flags,
    reason=st.sampled_from(REASONS),
)
choices = st.builds(
    contact.CategoryChoice, tag=st.sampled_from(TAGS), enabled=st.booleans(), label=st.sampled_from([None, "L"])
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "email": st.just("learner@example.com"),
    "status": st.sampled_from([None, "pending", "subscribed", "unsubscribed"]),
    "unsubscribe_reason": st.sampled_from(REASONS),
    "reason": st.sampled_from(REASONS),
    "verified": flags,
    "verified_at": st.none() | times,
    "tags": st.lists(st.sampled_from(TAGS), max_size=3).map(tuple),
    "tag": st.sampled_from(TAGS),
    "validation": st.none() | verdicts,
    "verdict": verdicts,
    "suppressions": suppressions,
    "scope": st.sampled_from(["client", "audience", "global"]),
    "categories": st.lists(choices, max_size=2).map(tuple),
}
COMMANDS = [
    kind
    for kind in vars(commands).values()
    if isinstance(kind, type)
    and issubclass(kind, commands.Command)
    and kind.__name__ not in {"Command", "ScopedCommand"}
]


@st.composite
def a_command(draw: st.DrawFn) -> commands.Command:
    kind = draw(st.sampled_from(COMMANDS))
    organization_id, audience_id, client_id = draw(st.sampled_from(SCOPES))
    said: dict[str, Any] = {"at": draw(times), "organization_id": organization_id}
    if issubclass(kind, commands.ScopedCommand):
        said |= {"audience_id": audience_id, "client_id": client_id}
    said |= {name: draw(FIELDS[name]) for name in kind.__struct_fields__ if name not in said}
    return kind(**said)


def after(history: list[commands.Command]) -> Given[contact.Contact]:
    """The contact after those of the commands that hold."""
    there = Given(contact.decider)
    for command in history:
        try:
            there = there.when(command).done()
        except Rejected:
            continue
    return there


def test_every_command_is_tried() -> None:
    assert len(COMMANDS) == 15


@given(st.lists(a_command(), max_size=8), a_command(), st.timedeltas(timedelta(0), timedelta(days=9)))
@settings(max_examples=600)
def test_twice_is_once_however_late(
    history: list[commands.Command], command: commands.Command, late: timedelta
) -> None:
    before = after(history)
    try:
        there = before.when(command).done()
    except Rejected:
        return
    again = msgspec.structs.replace(command, at=command.at + late)
    try:
        assert there.when(again).decide() == ()
    except Rejected as refusal:
        only_recorded_by_others_now = set(refusal.fields.values()) == {"forbidden"}
        assert only_recorded_by_others_now


@given(st.lists(a_command(), max_size=12), a_command())
@settings(max_examples=300)
def test_what_is_not_said_does_not_change(history: list[commands.Command], command: commands.Command) -> None:
    there = after(history)
    if not isinstance(command, commands.ScopedCommand):
        return
    bare = contact.UpsertContact(
        at=command.at,
        organization_id=command.organization_id,
        audience_id=command.audience_id,
        client_id=command.client_id,
        email="learner@example.com",
    )
    once = there.when(bare).done()
    before, now = there.state.subscriptions, once.state.subscriptions
    key = (command.audience_id, command.client_id)
    assert now == {key: contact.Subscription(command.organization_id, "pending"), **before}
    assert once.state.tags == there.state.tags
    assert once.state.validation == there.state.validation


def encode_personal(value: Any) -> str:
    assert isinstance(value, Personal)
    return value.text


def decode_personal(kind: type[Any], text: Any) -> Personal:
    personal: Personal = kind(text)
    return personal


@given(st.lists(a_command(), max_size=12))
@settings(max_examples=200)
def test_the_state_survives_a_snapshot(history: list[commands.Command]) -> None:
    state = after(history).state
    stored = msgspec.msgpack.encode(state, enc_hook=encode_personal)
    assert msgspec.msgpack.decode(stored, type=contact.Contact, dec_hook=decode_personal) == state


FACT_FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "at": times,
    "email": st.just(Address("learner@example.com")),
    "organization_id": ids,
    "audience_id": st.integers(0, 3),
    "client_id": st.integers(0, 3),
    "audience_ids": st.lists(ids, max_size=2).map(tuple),
    "verified_at": times,
    "validated_at": st.none() | times,
    "reason": st.sampled_from(REASONS).map(lambda text: Personal(text or "")),
    "status": st.sampled_from(["unknown", "valid", "risky"]),
    "tag": st.sampled_from(TAGS),
    "label": st.just("L"),
    "last": st.booleans(),
}
FACTS = [kind for kind, known in EVENT_TYPES.items() if known.name.startswith("contact.")]


@st.composite
def a_fact(draw: st.DrawFn) -> Event:
    kind = draw(st.sampled_from(FACTS))
    tags = st.just((contact.Tag("ml", "ML"),))
    fields = {**FACT_FIELDS, "tags": tags, "slugs": st.just(("ml",))}
    if kind is contact.ContactErased:
        fields["tags"] = ids
    required = [field.name for field in msgspec.structs.fields(kind) if field.required or draw(st.booleans())]
    return kind(**{name: draw(fields[name]) for name in required if name in fields})


class SomethingElseHappened(Event, frozen=True):
    """A fact of another kind of thing."""


@given(st.lists(a_fact(), max_size=15))
@settings(max_examples=400)
def test_evolve_takes_any_facts_in_any_order(facts: list[Event]) -> None:
    state = Given(contact.decider, *facts).state
    assert contact.evolve(state, SomethingElseHappened(at=NOW)) is state
    assert contact.decider.initial == contact.Contact()


@pytest.mark.parametrize("kind", FACTS)
def test_every_fact_changes_something(kind: type[Event]) -> None:
    """A fact that ``evolve`` forgot would leave every contact as it was."""
    scope: dict[str, Any] = {"organization_id": 1, "audience_id": 1, "client_id": 1}
    rich = [
        contact.ContactRegistered(at=NOW, email=Address("learner@example.com"), organization_id=1),
        contact.ContactUnsubscribed(at=NOW, **scope),
        contact.ContactVerified(at=NOW, audience_id=1, client_id=1, verified_at=NOW),
        contact.ContactGloballyUnsubscribed(at=NOW, organization_id=1),
        contact.ContactHardBounced(at=NOW, organization_id=1),
        contact.ContactComplained(at=NOW, organization_id=1),
        contact.ContactTagged(at=NOW, audience_id=1, tags=(contact.Tag("old", "Old"),)),
    ]
    state = Given(contact.decider, *rich).state
    fact = _sample(kind)
    assert contact.evolve(state, fact) != state


def _sample(kind: type[Event]) -> Event:
    later: datetime = NOW + timedelta(days=1)
    values: dict[str, Any] = {
        "at": later,
        "email": Address("other@example.com"),
        "organization_id": 2,
        "audience_id": 1,
        "client_id": 1,
        "audience_ids": (1,),
        "verified_at": later,
        "validated_at": later,
        "reason": Personal("why"),
        "status": "risky",
        "tag": "jobs",
        "label": "Jobs",
        "last": True,
        "tags": (contact.Tag("new", "New"),),
        "slugs": ("old",),
    }
    if "Lifted" in kind.__name__:
        values["organization_id"] = 1
    if kind is contact.ContactErased:
        values["tags"] = 1
    return kind(**{name: values[name] for name in kind.__struct_fields__ if name in values})
