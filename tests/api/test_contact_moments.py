"""Time travel: a contact as of a moment, and what is different between two."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, fields


def position(response: httpx.Response) -> int:
    assert response.status_code == 200, response.text
    return int(response.headers["Datamailer-Position"])


@pytest.fixture
def then(http: httpx.Client, contact_id: int) -> Any:
    def asked(**query: Any) -> httpx.Response:
        return http.get(f"/api/contacts/{contact_id}", params={**COURSES, **query})

    return asked


@pytest.fixture
def changes(http: httpx.Client, contact_id: int) -> Any:
    def asked(begin: Any, end: Any = None) -> httpx.Response:
        to = {} if end is None else {"to": end}
        return http.get(f"/api/contacts/{contact_id}/changes", params={**COURSES, "from": begin, **to})

    return asked


def test_a_time_and_its_position_have_the_same_answer(then: Any, upsert: Upsert) -> None:
    at = datetime.now(UTC)
    upsert(status="subscribed", tags=["later"])
    early = then(as_of=at.isoformat()).json()
    assert (early["client"]["status"], early["tags"]) == ("pending", [])
    assert datetime.fromisoformat(early["as_of"]) == at
    assert then(as_of=early["position"]).json() == early | {"as_of": early["position"]}
    assert then().json()["tags"] == ["later"]


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("soon", "must_be_iso_datetime"),
        ("-1", "invalid"),
        ("9" * 18, "invalid"),
        ("9" * 40, "must_be_iso_datetime"),
        pytest.param((datetime.now(UTC) + timedelta(days=1)).isoformat(), "invalid", id="tomorrow"),
    ],
)
def test_moments_that_cannot_be(then: Any, changes: Any, moment: str, code: str) -> None:
    refused = {
        "as_of": then(as_of=moment),
        "from": changes(moment),
        "to": changes(0, moment),
    }
    for field, response in refused.items():
        assert (response.status_code, fields(response)) == (400, {field: code})


def test_what_is_different_between_two_moments(changes: Any, then: Any, upsert: Upsert, contact_id: int) -> None:
    before = then().json()["position"]
    upsert(tags=["b", "A a"], status="subscribed", verified=True)
    middle = position(upsert(email_validation={"status": "risky", "reason": "a guess"}))
    after = position(upsert(status="unsubscribed"))

    early = changes(before, middle).json()
    since = then(as_of=middle).json()["client"]["verified_at"]
    assert [tuple(change.values()) for change in early["changes"]] == [
        ("email_validation.status", "unknown", "risky"),
        ("email_validation.reason", "", "a guess"),
        ("email_validation.validated_at", None, then().json()["email_validation"]["validated_at"]),
        ("client.subscribed", False, True),
        ("client.status", "pending", "subscribed"),
        ("client.verified", False, True),
        ("client.verified_at", None, since),
        ("tags", [], ["a-a", "b"]),
    ]
    assert early["from"] == {"as_of": before, "position": before, "exists": True}
    types = [event["type"] for event in early["events"]]
    assert types == ["contact.subscribed", "contact.tagged", "contact.email_validated"]
    validated = early["events"][-1]
    assert validated["data"]["reason"] == "a guess"
    assert (validated["position"], validated["contact"], validated["origin"]) == (middle, contact_id, "api")

    late = changes(middle).json()
    assert [event["type"] for event in late["events"]] == ["contact.unsubscribed"]
    assert late["events"][0]["audience"] == "dtc-courses"
    assert late["to"]["as_of"] is None
    assert late["to"]["position"] >= after
    assert {change["field"] for change in late["changes"]} >= {"client.status", "client.unsubscribed_at"}


def test_from_before_it_existed(changes: Any, contact_id: int) -> None:
    whole = changes("2020-01-01T00:00:00Z").json()
    assert whole["from"] == {"as_of": "2020-01-01T00:00:00Z", "position": 0, "exists": False}
    assert [change["field"] for change in whole["changes"]] == [
        "contact_id",
        "exists",
        "client.status",
        "can_send_transactional",
    ]
    assert whole["changes"][0] == {"field": "contact_id", "before": None, "after": contact_id}
    registered, *_ = whole["events"]
    assert registered["type"] == "contact.registered"
    assert registered["data"]["email"].endswith("@example.com")


def test_nothing_between_a_moment_and_itself(changes: Any, then: Any) -> None:
    now = then().json()["position"]
    same = changes(now, now).json()
    assert (same["changes"], same["events"]) == ([], [])
    mixed = changes(now, datetime.now(UTC).isoformat()).json()
    assert (mixed["changes"], mixed["events"]) == ([], [])


def test_moments_turned_round(changes: Any, upsert: Upsert, then: Any) -> None:
    early = then().json()["position"]
    late = position(upsert(tags=["x"]))
    for begin, end in ((late, early), ("2021-01-01", "2020-01-01"), (late, "2020-01-01")):
        assert fields(changes(begin, end)) == {"to": "invalid"}


def test_from_is_required(http: httpx.Client, contact_id: int) -> None:
    assert fields(http.get(f"/api/contacts/{contact_id}/changes", params=COURSES)) == {"from": "required"}


def test_a_contact_of_others_has_no_changes(labs: httpx.Client, contact_id: int) -> None:
    response = labs.get(f"/api/contacts/{contact_id}/changes", params={**LABS, "from": 0})
    assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"})


def test_others_facts_are_told_without_their_words(
    labs: httpx.Client, upsert: Upsert, email: str, changes: Any
) -> None:
    """Another organization's suppression concerns everybody; its tags and its subscription do not."""
    before = position(upsert(status="subscribed"))
    secret = "they wrote to us in anger"
    theirs = labs.post("/api/contacts", json={"email": email, **LABS, "tags": ["vip"], "status": "subscribed"}).json()
    suppression = {**LABS, "global_unsubscribed": True, "reason": secret}
    labs.patch(f"/api/contacts/{theirs['contact_id']}/suppression", json=suppression)
    told = changes(before)
    assert [event["type"] for event in told.json()["events"]] == ["contact.globally_unsubscribed"]
    event = told.json()["events"][0]
    assert event["data"] == {"organization_id": 0, "at": event["data"]["at"]}
    assert event.keys().isdisjoint({"correlationid", "causationid", "origin"})
    for word in (secret, "vip", "ai-shipping-labs", "asl-platform"):
        assert word not in told.text
    assert "global_unsubscribed" in [change["field"] for change in told.json()["changes"]]


def test_who_was_erased_and_came_back_is_somebody_new(
    http: httpx.Client, labs: httpx.Client, upsert: Upsert, email: str, changes: Any, then: Any
) -> None:
    """Another organization kept the contact, so it has its number still."""
    before = position(upsert(status="subscribed", tags=["secret"]))
    number = labs.post("/api/contacts", json={"email": email, **LABS}).json()["contact_id"]
    erased = position(http.post("/api/contacts/erase", json={"email": email, **COURSES}))
    assert fields(then(as_of=before)) == {"contact_id": "not_found"}
    assert fields(changes(0)) == {"contact_id": "not_found"}
    again = upsert(tags=["new"])
    assert again.json()["contact_id"] == number
    for moment in (before, erased):
        told = then(as_of=moment).json()
        assert (told["exists"], told["client"]["status"], told["tags"]) == (False, None, [])
    whole = changes(0)
    assert "secret" not in whole.text
    assert [event["type"] for event in whole.json()["events"]] == ["contact.awaiting_confirmation", "contact.tagged"]
    assert [change["field"] for change in whole.json()["changes"] if change["after"] == ["new"]] == ["tags"]
    proof = http.get(f"/api/contacts/{number}/consent").json()
    assert [entry["fact"] for entry in proof["entries"]] == ["contact.awaiting_confirmation"]
    assert proof["email"] == email


def test_a_huge_number_is_no_contact(http: httpx.Client) -> None:
    for number in ("0", "-1", "x", str(2**53), "9" * 40):
        for path in (f"/api/contacts/{number}", f"/api/contacts/{number}/changes", f"/api/contacts/{number}/consent"):
            response = http.get(path, params={**COURSES, "from": 0})
            assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"}), path


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        ("2026-13-01", "must_be_iso_datetime"),
        ("0001-01-01T00:00:00+14:00", "must_be_iso_datetime"),
        ("9999-12-31T23:59:59-14:00", "must_be_iso_datetime"),
        ("1.5", "must_be_iso_datetime"),
        ("\u0000", "invalid"),
        ("\u0661", "must_be_iso_datetime"),
        ("2999-01-01", "invalid"),
        (str(2**63), "must_be_iso_datetime"),
    ],
)
def test_nonsense_is_no_moment(then: Any, moment: str, code: str) -> None:
    response = then(as_of=moment)
    assert (response.status_code, fields(response)) == (400, {"as_of": code})
