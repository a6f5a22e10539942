"""Recipient lists: the tree that keys spell, the places on a list, and the plan that reconciles them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import recipient, recipient_list
from domain.decider import Rejected
from domain.personal import Personal, SealingKey
from domain.recipient_list import ListContent, ancestors, check_key, is_within
from domain.reconciling import Present, Wanted, check_members, reconcile
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
KEY = "course:@e:@homework:1"
WHO: dict[str, Any] = {"organization_id": 1, "client_id": 21, "key": KEY}


def test_a_list_lies_within_those_that_its_key_spells() -> None:
    assert ancestors(KEY) == ("course:@e:@homework", "course:@e", "course", "<all>")
    assert ancestors("course") == ("<all>",)
    assert ancestors("<all>") == ()
    assert all(is_within(KEY, around) for around in (KEY, *ancestors(KEY)))
    assert not is_within("courses:@e", "course")
    assert not is_within("<all>", "course")


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("", "required"), ("a:", "invalid"), (":a", "invalid"), ("a::b", "invalid"), ("a b", "invalid"),
        ("a/b", "invalid"), ("<some>", "invalid"), ("a:<all>", "invalid"), ("a\n", "invalid"), ("a\x00", "invalid"),
        ("k" * 256, "too_long"), (":".join("k" * 17), "too_long"),
    ],
)  # fmt: skip
def test_a_key_that_is_no_path_is_refused(key: str, code: str) -> None:
    command = recipient_list.OpenList(at=NOW, organization_id=1, client_id=21, key=key)
    Given(recipient_list.decider).when(command).is_refused({"key": code})


@given(st.lists(st.text("abc@ä-_.1", min_size=1, max_size=5), min_size=1, max_size=16).map(":".join))
def test_every_list_around_a_list_has_a_good_key(key: str) -> None:
    around = ancestors(key)
    for other in (key, *around):
        check_key(other)
        assert is_within(key, other)
    assert len(around) == key.count(":") + 1


def test_a_list_is_opened_once_and_described() -> None:
    opens = recipient_list.OpenList(at=NOW, **WHO)
    saves = recipient_list.SaveList(at=LATER, **WHO, content=ListContent(name="Homework 1"))
    opened = recipient_list.RecipientListOpened(at=NOW, **WHO)
    there = Given(recipient_list.decider, opened)
    Given(recipient_list.decider).when(opens).then(opened)
    there.when(opens).is_quiet()
    state = there.when(saves).then(recipient_list.RecipientListDescribed(at=LATER, content=saves.content))
    assert (state.content, state.created_at, state.updated_at) == (saves.content, NOW, LATER)
    there.when(saves, saves).is_quiet()
    there.when(saves, opens).is_quiet()
    Given(recipient_list.decider).when(saves).then(
        recipient_list.RecipientListOpened(at=LATER, **WHO, content=saves.content)
    )
    long = recipient_list.SaveList(at=LATER, **WHO, content=ListContent(name="n" * 256))
    there.when(long).is_refused({"name": "too_long"})


def put(contact_id: int = 77, key: str = "enrollment-1", **said: Any) -> recipient.PutRecipient:
    return recipient.PutRecipient(at=LATER, list_id=3, contact_id=contact_id, source_object_key=key, **said)


def added(metadata: str = "{}") -> recipient.RecipientAdded:
    return recipient.RecipientAdded(
        at=LATER,
        list_id=3,
        contact_id=77,
        source_object_key=Personal("enrollment-1"),
        metadata=Personal(metadata),
    )


remove = recipient.RemoveRecipient(at=LATER)
removed = recipient.RecipientRemoved(at=LATER)


def test_a_place_is_taken_revised_left_and_taken_again() -> None:
    there = Given(recipient.decider, added('{"a":1,"b":2}'))
    Given(recipient.decider).when(put(metadata={"b": 2, "a": 1})).then(added('{"a":1,"b":2}'))
    there.when(put()).is_quiet()
    there.when(put(metadata={"b": 2, "a": 1})).is_quiet()
    revised = recipient.RecipientRevised(
        at=LATER, contact_id=78, source_object_key=Personal("enrollment-1"), metadata=Personal('{"a":1,"b":2}')
    )
    assert there.when(put(78)).then(revised).contact_id == 78
    state = there.when(remove).then(removed)
    assert (state.active, state.removed_at) == (False, LATER)
    there.when(remove, remove).is_quiet()
    assert there.when(remove, put()).then(added('{"a":1,"b":2}')).active
    Given(recipient.decider).when(remove).is_refused({"source_object_key": "not_found"})


@pytest.mark.parametrize(
    ("said", "fields"),
    [
        ({"key": " "}, {"source_object_key": "required"}),
        ({"key": "a\nb"}, {"source_object_key": "invalid"}),
        ({"key": "k" * 256}, {"source_object_key": "too_long"}),
        ({"metadata": {"a": "x" * 70_000}}, {"metadata": "too_large"}),
    ],
)
def test_a_bad_place_is_refused(said: dict[str, Any], fields: dict[str, str]) -> None:
    Given(recipient.decider).when(put(**said)).is_refused(fields)


def test_a_place_whose_words_were_erased_can_be_taken_anew() -> None:
    key = SealingKey(bytes(32))
    gone = added('{"a":1}')
    for sealed in (gone.source_object_key, gone.metadata):
        sealed.seal(1, {1: key})
    lost = recipient.RecipientAdded(
        at=NOW,
        list_id=3,
        contact_id=76,
        source_object_key=Personal.from_token(gone.source_object_key.token),
        metadata=Personal.from_token(gone.metadata.token),
    )
    state = Given(recipient.decider, lost).when(put()).done().state
    assert (state.contact_id, state.metadata) == (77, Personal("{}"))


def wanted(key: str, email: str = "a@example.com", metadata: dict[str, object] | None = None) -> Wanted:
    return Wanted(source_object_key=key, email=email, metadata=metadata)


def test_a_plan_says_what_happens_to_everyone() -> None:
    present = {
        "same": Present(email="a@example.com", metadata='{"n":1}'),
        "moved": Present(email="b@example.com"),
        "other": Present(email="a@example.com", metadata='{"n":1}'),
        "back": Present(email="a@example.com", removed=True),
        "absent": Present(email="a@example.com"),
        "gone": Present(email="a@example.com", removed=True),
    }
    members = [wanted("new"), wanted("same"), wanted("moved"), wanted("other", metadata={"n": 2}), wanted("back")]
    by_key = {member.source_object_key: member for member in members}
    plan = reconcile(present, by_key, remove_absent=True)
    assert (plan.added, plan.unchanged, plan.revised) == (("new",), ("same",), ("moved", "other"))
    assert (plan.restored, plan.removed) == (("back",), ("absent",))
    assert plan.counts == {"added": 1, "restored": 1, "revised": 2, "unchanged": 1, "removed": 1}
    assert reconcile(present, by_key, remove_absent=False).removed == ()


keys = st.sampled_from("abcde")
emails = st.sampled_from(["a@example.com", "b@example.com"])


@given(
    st.dictionaries(keys, st.builds(Present, email=emails, metadata=st.just("{}"), removed=st.booleans())),
    st.dictionaries(keys, emails),
)
def test_a_plan_carried_out_leaves_nothing_to_do(present: dict[str, Present], asked: dict[str, str]) -> None:
    members = {key: wanted(key, email) for key, email in asked.items()}
    plan = reconcile(present, members, remove_absent=True)
    after = {key: Present(email=member.email) for key, member in members.items()}
    after |= {key: Present(email=present[key].email, removed=True) for key in plan.removed}
    again = reconcile(after, members, remove_absent=True)
    assert again.counts == {"added": 0, "restored": 0, "revised": 0, "unchanged": len(members), "removed": 0}


def test_bad_members_are_named_all_at_once() -> None:
    checked = check_members([wanted("a", " A@Example.com "), wanted("b")])
    assert [(key, member.email) for key, member in checked.items()] == [("a", "a@example.com"), ("b", "a@example.com")]
    with pytest.raises(Rejected) as refusal:
        check_members([wanted(""), wanted("a", "x"), wanted("b", metadata={"a": "x" * 70_000}), wanted("b")])
    assert refusal.value.fields == {
        "members.0.source_object_key": "required",
        "members.1.email": "invalid",
        "members.2.metadata": "too_large",
        "members.3.source_object_key": "duplicate",
    }
    with pytest.raises(Rejected, match="too_many"):
        check_members(wanted(str(n)) for n in range(10_001))
