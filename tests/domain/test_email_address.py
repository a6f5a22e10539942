"""Which texts are email addresses, and which of them are the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.decider import Rejected
from domain.email_address import normalize


@pytest.mark.parametrize(
    ("text", "identity"),
    [
        ("Learner@Example.COM", "learner@example.com"),
        (" \tlearner@example.com\n", "learner@example.com"),
        ("o'brien+tag=x@mail.example.ie", "o'brien+tag=x@mail.example.ie"),
        ("a@b.c", "a@b.c"),
        ("a@staging.test", "a@staging.test"),
        ("ÜSER@EXÄMPLE.com", "üser@exämple.com"),
        ("u@xn--exmple-cua.com", "u@exämple.com"),
        ("用户@例子。广告", "用户@例子.广告"),
        ("u@example.xn--p1ai", "u@example.рф"),
        ("Straße@example.com", "strasse@example.com"),
        ("u@Straße.de", "u@straße.de"),
        ("a--b@x.com", "a--b@x.com"),
        ("a@foo--bar.com", "a@foo--bar.com"),
        ("x" * 64 + "@" + ".".join(["y" * 63] * 3) + ".com", "x" * 64 + "@" + ".".join(["y" * 63] * 3) + ".com"),
    ],
)
def test_identity(text: str, identity: str) -> None:
    assert normalize(text) == identity


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "@",
        "learner",
        "learner@",
        "@example.com",
        "learner@localhost",
        "learner@example",
        "learner@example.123",
        "learner@127.0.0.1",
        "learner@[127.0.0.1]",
        '"quoted"@example.com',
        "Learner <learner@example.com>",
        "a@b@example.com",
        "a b@example.com",
        ".a@example.com",
        "a.@example.com",
        "a..b@example.com",
        "a@example..com",
        "a@.example.com",
        "a@example.com.",
        "a@-example.com",
        "a@example-.com",
        "a@under_score.com",
        "a@ab--cd.com",
        "a@xn--a.com",
        "a@ex\x00ample.com",
        "a\x00@example.com",
        "a\ud800@example.com",
        "a@\udfffexample.com",
        "\u202ea@example.com",
        "x" * 65 + "@example.com",
        "a@" + "y" * 64 + ".com",
        "x" * 64 + "@" + ".".join(["y" * 63] * 4) + ".com",
        "a@" + "b." * 200 + "com",
        "a,b@example.com",
        "a@example.com,b@example.com",
        "a@example.com\r\nBcc: b@example.com",
    ],
)
def test_no_address(text: str) -> None:
    with pytest.raises(Rejected) as refusal:
        normalize(text, field="members.3.email")
    assert refusal.value.fields == {"members.3.email": "invalid"}


words = st.text(min_size=1, max_size=8)


@given(st.emails() | st.builds("{}@{}.{}".format, words, words, words) | words)
@settings(max_examples=200)
def test_an_identity_is_its_own_identity(text: str) -> None:
    try:
        identity = normalize(text)
    except Rejected:
        return
    assert normalize(identity) == identity
    assert normalize(f" {text} ") == identity
    local, _, domain = identity.rpartition("@")
    assert local == local.casefold()
    assert domain
