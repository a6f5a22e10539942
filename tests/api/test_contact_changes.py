"""Verification, validation and suppression of a contact by its id (contract, Contacts)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, fields

NOON = "2026-05-24T12:00:00Z"
KINDS: dict[str, dict[str, object]] = {
    "verification": {"verified": True},
    "validation": {"status": "valid"},
    "suppression": {"complained": True},
}


def test_verification(http: httpx.Client, contact_id: int) -> None:
    path = f"/api/contacts/{contact_id}/verification"
    verified = http.patch(path, json={**COURSES, "verified": True, "verified_at": NOON})
    assert verified.status_code == 200
    assert verified.json()["client"]["verified_at"] == NOON
    assert verified.json()["verified"] is False
    assert verified.json()["tags"] == []
    kept = http.patch(path, json={**COURSES, "verified": True})
    assert kept.json()["client"]["verified_at"] == NOON
    withdrawn = http.patch(path, json={**COURSES, "verified": False})
    assert withdrawn.json()["client"]["verified"] is False
    assert int(withdrawn.headers["Datamailer-Position"]) > int(verified.headers["Datamailer-Position"])


def test_validation(http: httpx.Client, contact_id: int) -> None:
    path = f"/api/contacts/{contact_id}/validation"
    first = http.patch(path, json={**COURSES, "status": "risky", "reason": "role account"}).json()
    assert first["email_validation"]["reason"] == "role account"
    assert first["email_validation"]["validated_at"] is not None
    again = http.patch(path, json={**COURSES, "status": "risky"}).json()
    assert again["email_validation"] == first["email_validation"]
    assert again["can_send_marketing"] is False
    cleared = http.patch(path, json={**COURSES, "status": "unknown", "reason": ""}).json()
    assert cleared["email_validation"] == {"status": "unknown", "reason": "", "validated_at": None}


def test_suppression(http: httpx.Client, contact_id: int) -> None:
    path = f"/api/contacts/{contact_id}/suppression"
    bounced = http.patch(path, json={**COURSES, "hard_bounced": True, "reason": "no such mailbox"}).json()
    assert (bounced["hard_bounced"], bounced["can_send_transactional"]) == (True, False)
    both = http.patch(path, json={**COURSES, "global_unsubscribed": True}).json()
    assert (both["hard_bounced"], both["global_unsubscribed"]) == (True, True)
    lifted = http.patch(path, json={**COURSES, "hard_bounced": False, "global_unsubscribed": False}).json()
    assert (lifted["hard_bounced"], lifted["global_unsubscribed"]) == (False, False)
    assert lifted["can_send_transactional"] is True


def test_a_suppression_of_another_organization_is_named_by_its_own_field(
    http: httpx.Client, labs: httpx.Client, contact_id: int, email: str
) -> None:
    labs.post("/api/contacts", json={"email": email, **LABS, "suppression": {"complained": True}})
    response = http.patch(f"/api/contacts/{contact_id}/suppression", json={**COURSES, "complained": False})
    assert (response.status_code, fields(response)) == (403, {"complained": "forbidden"})


@pytest.mark.parametrize(
    ("kind", "said", "expected"),
    [
        ("verification", {}, {"verified": "required"}),
        ("verification", {"verified": None}, {"verified": "must_be_boolean"}),
        ("verification", {"verified": "yes"}, {"verified": "must_be_boolean"}),
        ("verification", {"verified": True, "verified_at": "x"}, {"verified_at": "must_be_iso_datetime"}),
        ("verification", {"verified": True, "verified_at": 1}, {"verified_at": "must_be_iso_datetime"}),
        ("validation", {}, {"status": "required"}),
        ("validation", {"status": ""}, {"status": "required"}),
        ("validation", {"status": None}, {"status": "required"}),
        ("validation", {"status": "great"}, {"status": "invalid"}),
        ("validation", {"status": []}, {"status": "must_be_string"}),
        ("validation", {"status": "valid", "reason": 1}, {"reason": "must_be_string"}),
        ("validation", {"status": "valid", "reason": "x" * 256}, {"reason": "too_long"}),
        ("validation", {"status": "valid", "reason": "\x00"}, {"reason": "invalid"}),
        ("validation", {"status": "valid", "validated_at": "then"}, {"validated_at": "must_be_iso_datetime"}),
        ("suppression", {"hard_bounced": 1}, {"hard_bounced": "must_be_boolean"}),
        ("suppression", {"complained": None}, {"complained": "must_be_boolean"}),
        ("suppression", {"global_unsubscribed": "x"}, {"global_unsubscribed": "must_be_boolean"}),
        ("suppression", {"reason": ["x"]}, {"reason": "must_be_string"}),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, contact_id: int, kind: str, said: dict[str, object], expected: dict[str, str]
) -> None:
    response = http.patch(f"/api/contacts/{contact_id}/{kind}", json={**COURSES, **said})
    assert (response.status_code, fields(response)) == (400, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_the_scope_is_asked_for(http: httpx.Client, contact_id: int, kind: str) -> None:
    path = f"/api/contacts/{contact_id}/{kind}"
    assert fields(http.patch(path, json=KINDS[kind])) == {"audience": "required", "client": "required"}
    foreign = http.patch(path, json={**KINDS[kind], **LABS})
    assert (foreign.status_code, fields(foreign)) == (403, {"audience": "not_found", "client": "forbidden"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_contact_that_this_client_does_not_have(
    http: httpx.Client, labs: httpx.Client, contact_id: int, kind: str
) -> None:
    for client, scope, number in (
        (http, COURSES, "987654321"),
        (http, COURSES, "x"),
        (http, COURSES, str(2**53)),
        (http, {**COURSES, "audience": "datatalks-club"}, contact_id),
        (labs, LABS, contact_id),
    ):
        response = client.patch(f"/api/contacts/{number}/{kind}", json={**KINDS[kind], **scope})
        assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"}), number


def test_verifying_makes_a_subscriber_reachable(http: httpx.Client, upsert: Upsert) -> None:
    before = upsert(status="subscribed").json()
    assert before["can_send_marketing"] is False
    path = f"/api/contacts/{before['contact_id']}/verification"
    assert http.patch(path, json={**COURSES, "verified": True}).json()["can_send_marketing"] is True
