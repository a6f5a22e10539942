"""Senders: which ones a client may have, and how they stand in a mail header."""

from __future__ import annotations

from datetime import UTC, datetime
from email.header import decode_header, make_header

import pytest

from domain import client
from domain.decider import Rejected
from domain.mailbox import Mailbox, mailbox
from domain.sender import Sender, choose
from tests.domain.cases import Given

NOW = datetime(2026, 5, 24, 12, tzinfo=UTC)
created = client.ClientCreated(at=NOW, organization_id=1, slug="dtc-courses", name="Courses")
COURSES, NEWS = Sender("courses", "DataTalks.Club <courses@example.com>"), Sender("news", "news@example.com")


def replace(*senders: Sender, default: str = "courses") -> client.ReplaceSenders:
    return client.ReplaceSenders(at=NOW, senders=senders, default_sender_id=default)


def test_senders_are_replaced_as_a_whole() -> None:
    there = Given(client.decider, created)
    state = there.when(replace(Sender(" courses ", f" {COURSES.email} "), NEWS)).then(
        client.SendersReplaced(at=NOW, senders=(COURSES, NEWS), default_sender_id="courses")
    )
    assert (state.senders, state.default_sender_id) == ((COURSES, NEWS), "courses")
    there.when(replace(COURSES, NEWS), replace(COURSES, NEWS)).is_quiet()
    there.when(replace(COURSES), replace(default="")).then(client.SendersReplaced(at=NOW))
    Given(client.decider).when(replace(COURSES)).is_refused({"slug": "not_found"})


@pytest.mark.parametrize(
    ("senders", "default", "fields"),
    [
        ((Sender("", ""),), "", {"senders.0.id": "required", "senders.0.email": "required"}),
        ((COURSES,), "other", {"default_sender_id": "not_found"}),
        ((COURSES,), "", {"default_sender_id": "required"}),
        ((), "courses", {"default_sender_id": "not_found"}),
        ((COURSES, COURSES), "courses", {"senders.1.id": "duplicate"}),
        ((Sender("a b", "a@example.com"),), "a b", {"senders.0.id": "invalid"}),
        ((Sender("a" * 121, "a@example.com"),), "a" * 121, {"senders.0.id": "too_long"}),
        ((Sender("a", "a@@example.com"),), "a", {"senders.0.email": "invalid"}),
        ((Sender("a", "A\r\nBcc: b@example.com <a@example.com>"),), "a", {"senders.0.email": "invalid"}),
        ((Sender("a", f"{'n' * 256} <a@example.com>"),), "a", {"senders.0.email": "too_long"}),
        ((Sender("a", "jürgen@example.com"),), "a", {"senders.0.email": "unsupported"}),
        (tuple(Sender(f"a{n}", "a@example.com") for n in range(101)), "a1", {"senders": "too_many"}),
    ],
)
def test_bad_senders_are_refused_with_every_wrong_field(
    senders: tuple[Sender, ...], default: str, fields: dict[str, str]
) -> None:
    Given(client.decider, created).when(replace(*senders, default=default)).is_refused(fields)


def test_the_first_sender_that_was_asked_for_is_chosen() -> None:
    assert choose((COURSES, NEWS), "", "news", "courses") == NEWS
    with pytest.raises(Rejected) as refusal:
        choose((COURSES,), "nobody", "courses")
    assert refusal.value.fields == {"from_email": "not_found"}
    with pytest.raises(Rejected) as refusal:
        choose((COURSES,), "", "")
    assert refusal.value.fields == {"from_email": "not_configured"}


@pytest.mark.parametrize(
    ("text", "box", "header"),
    [
        ("a@example.com", Mailbox("a@example.com"), "a@example.com"),
        (" <A.b@Example.com> ", Mailbox("A.b@Example.com"), "A.b@Example.com"),
        ("Ann <a@example.com>", Mailbox("a@example.com", "Ann"), "Ann <a@example.com>"),
        ('"Ann, \\"A\\"" <a@example.com>', Mailbox("a@example.com", 'Ann, "A"'), '"Ann, \\"A\\"" <a@example.com>'),
        ("Ann, Inc. <a@example.com>", Mailbox("a@example.com", "Ann, Inc."), '"Ann, Inc." <a@example.com>'),
        ("a@bücher.example", Mailbox("a@bücher.example"), "a@xn--bcher-kva.example"),
        ("Jürgen <a@example.com>", Mailbox("a@example.com", "Jürgen"), "=?utf-8?q?J=C3=BCrgen?= <a@example.com>"),
    ],
)
def test_a_mailbox_is_read_and_written(text: str, box: Mailbox, header: str) -> None:
    assert mailbox(text) == box
    assert box.header == header


def test_a_long_name_takes_several_encoded_words_and_none_too_long() -> None:
    name = "Курсы по машинному обучению и инженерии данных, издание 2026 года"
    words, _, address = mailbox(f"{name} <a@example.com>").header.rpartition(" ")
    assert address == "<a@example.com>"
    assert all(len(word) <= 75 for word in words.split(" "))
    assert str(make_header(decode_header(words))) == name
