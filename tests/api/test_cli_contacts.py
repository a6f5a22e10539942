"""Time travel on the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.api.conftest import Upsert

SCOPE = ("--audience", "dtc-courses", "--client", "dtc-courses")


def test_a_contact_at_a_moment(run: Any, upsert: Upsert, email: str) -> None:
    first = upsert(tags=["a"])
    number, position = first.json()["contact_id"], int(first.headers["Datamailer-Position"])
    upsert(tags=["b"], status="subscribed")
    status, said, _ = run("contacts", "show", number, *SCOPE)
    assert (status, json.loads(said)["tags"]) == (0, ["a", "b"])
    _, said, _ = run("contacts", "show", email.upper(), *SCOPE, "--as-of", position)
    then = json.loads(said)
    assert (then["tags"], then["position"], then["client"]["status"]) == (["a"], position, "pending")
    _, said, _ = run("contacts", "show", number, *SCOPE, "--as-of", "2020-01-01")
    assert (json.loads(said)["exists"], json.loads(said)["email"]) == (False, email)


def test_the_difference_between_moments(run: Any, upsert: Upsert) -> None:
    first = upsert(tags=["b"])
    number, position = first.json()["contact_id"], int(first.headers["Datamailer-Position"])
    upsert(tags=["a"], status="unsubscribed")
    status, said, _ = run("contacts", "diff", number, *SCOPE, "--from", position)
    lines = [line.split() for line in said.splitlines()]
    assert status == 0
    assert lines[0] == ["field", "before", "after"]
    assert ["client.status", "pending", "unsubscribed"] in lines
    assert ["tags", "b", "a", "b"] in lines
    events = lines[lines.index([]) + 1 :]
    assert events[0] == ["position", "time", "event", "source"]
    assert [(event[-2], event[-1]) for event in events[1:]] == [
        ("contact.unsubscribed", "api"),
        ("contact.tagged", "api"),
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("show", "999999999", *SCOPE), "contact_id: not_found"),
        (("show", "nobody@example.com", *SCOPE), "contact_id: not_found"),
        (("show", "nobody", *SCOPE), "contact: invalid"),
        (("show", "1", "--audience", "none", "--client", "dtc-courses"), "audience: not_found"),
        (("show", "1", *SCOPE, "--as-of", "soon"), "as_of: must_be_iso_datetime"),
        (("show", "1", *SCOPE, "--as-of", "2999-01-01"), "as_of: invalid"),
        (("diff", "1", *SCOPE, "--from", "9" * 18), "from: invalid"),
        (("diff", "1", *SCOPE, "--from", "5", "--to", "4"), "to: invalid"),
    ],
)
def test_what_cannot_be_shown(run: Any, upsert: Upsert, words: tuple[str, ...], says: str) -> None:
    if words[1] == "1":
        words = (words[0], str(upsert().json()["contact_id"]), *words[2:])
    assert run("contacts", *words) == (1, "", f"{says}\n")
