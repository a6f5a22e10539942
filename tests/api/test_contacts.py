"""Upsert, status and contacts as of a moment, over HTTP (contract, Contacts)."""

from __future__ import annotations

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import httpx
import pytest

from api.demo import KEYS
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, Served, fields

NOON = "2026-05-24T12:00:00Z"


def test_the_contract_s_example(upsert: Upsert, email: str) -> None:
    response = upsert(
        status="subscribed",
        tags=["course-ml-zoomcamp"],
        verified=True,
        email_validation={"status": "externally_validated", "reason": "client signup validation", "validated_at": NOON},
    )
    assert response.status_code == 200
    payload = response.json()
    assert payload["contact_id"] > 0
    since = payload["client"]["verified_at"]
    assert datetime.fromisoformat(since).utcoffset() is not None
    assert since.endswith("Z")
    assert payload == {
        "contact_id": payload["contact_id"],
        "email": email,
        "exists": True,
        "verified": False,
        "verified_at": None,
        "email_validation": {
            "status": "externally_validated",
            "reason": "client signup validation",
            "validated_at": NOON,
        },
        "global_unsubscribed": False,
        "hard_bounced": False,
        "complained": False,
        "audience": {
            "slug": "dtc-courses",
            "subscribed": False,
            "status": None,
            "verified": False,
            "verified_at": None,
            "unsubscribed_at": None,
            "unsubscribe_reason": "",
        },
        "client": {
            "slug": "dtc-courses",
            "subscribed": True,
            "status": "subscribed",
            "verified": True,
            "verified_at": since,
            "unsubscribed_at": None,
            "unsubscribe_reason": "",
        },
        "can_send_marketing": True,
        "can_send_transactional": True,
        "tags": ["course-ml-zoomcamp"],
    }


def test_what_is_not_said_is_not_changed(upsert: Upsert) -> None:
    first = upsert(
        status="subscribed", verified=True, tags=["b"], email_validation={"status": "valid", "reason": "smtp"}
    )
    second = upsert(tags=["A b"])
    assert second.json() == first.json() | {"tags": ["a-b", "b"]}
    assert upsert().json() == second.json()
    assert upsert().headers["Datamailer-Position"] == second.headers["Datamailer-Position"]


def test_only_a_new_subscription_gets_defaults(upsert: Upsert) -> None:
    new = upsert().json()["client"]
    assert (new["status"], new["verified"], new["subscribed"]) == ("pending", False, False)


def test_every_command_says_its_position(upsert: Upsert) -> None:
    positions = [int(upsert(tags=[name]).headers["Datamailer-Position"]) for name in ("a", "b", "c")]
    assert positions == sorted(set(positions))


WRONG = [
    ({"email": None}, {"email": "required"}),
    ({"email": ""}, {"email": "required"}),
    ({"email": "  "}, {"email": "required"}),
    ({"email": 5}, {"email": "must_be_string"}),
    ({"email": ["a@example.com"]}, {"email": "must_be_string"}),
    ({"email": "nobody"}, {"email": "invalid"}),
    ({"email": "a@b"}, {"email": "invalid"}),
    ({"email": "a b@example.com"}, {"email": "invalid"}),
    ({"email": "a@example.com\x00"}, {"email": "invalid"}),
    ({"email": "\ud800@example.com"}, {"email": "invalid"}),
    ({"email": f"{'x' * 400}@example.com"}, {"email": "invalid"}),
    ({"status": "gone"}, {"status": "invalid"}),
    ({"status": ""}, {"status": "invalid"}),
    ({"status": 1}, {"status": "must_be_string"}),
    ({"status": None}, {"status": "must_be_string"}),
    ({"tags": None}, {"tags": "must_be_list"}),
    ({"tags": "a,b"}, {"tags": "must_be_list"}),
    ({"tags": {}}, {"tags": "must_be_list"}),
    ({"tags": [""]}, {"tags": "must_be_non_empty_strings"}),
    ({"tags": ["a", " "]}, {"tags": "must_be_non_empty_strings"}),
    ({"tags": ["a", 1]}, {"tags": "must_be_non_empty_strings"}),
    ({"tags": [None]}, {"tags": "must_be_non_empty_strings"}),
    ({"tags": ["!!!"]}, {"tags": "invalid"}),
    ({"tags": ["a\x00"]}, {"tags": "invalid"}),
    ({"tags": ["a\udfff"]}, {"tags": "invalid"}),
    ({"tags": ["x" * 121]}, {"tags": "too_long"}),
    ({"verified": "true"}, {"verified": "must_be_boolean"}),
    ({"verified": 1}, {"verified": "must_be_boolean"}),
    ({"verified": None}, {"verified": "must_be_boolean"}),
    ({"email_validation": None}, {"email_validation": "must_be_object"}),
    ({"email_validation": []}, {"email_validation": "must_be_object"}),
    ({"email_validation": {"status": "good"}}, {"email_validation.status": "invalid"}),
    ({"email_validation": {"reason": 3}}, {"email_validation.reason": "must_be_string"}),
    ({"email_validation": {"reason": "x" * 256}}, {"email_validation.reason": "too_long"}),
    ({"email_validation": {"reason": "\x00"}}, {"email_validation.reason": "invalid"}),
    ({"email_validation": {"validated_at": "soon"}}, {"email_validation.validated_at": "must_be_iso_datetime"}),
    ({"email_validation": {"validated_at": 5}}, {"email_validation.validated_at": "must_be_iso_datetime"}),
    (
        {"email_validation": {"validated_at": "0001-01-01T00:00:00+14:00"}},
        {"email_validation.validated_at": "must_be_iso_datetime"},
    ),
    ({"suppression": True}, {"suppression": "must_be_object"}),
    ({"suppression": {"hard_bounced": "yes"}}, {"suppression.hard_bounced": "must_be_boolean"}),
    (
        {"suppression": {"global_unsubscribed": 1, "complained": None}, "status": "x", "tags": 1},
        {
            "suppression.global_unsubscribed": "must_be_boolean",
            "suppression.complained": "must_be_boolean",
            "status": "invalid",
            "tags": "must_be_list",
        },
    ),
]


@pytest.mark.parametrize(("said", "expected"), WRONG)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, email: str, said: dict[str, object], expected: dict[str, str]
) -> None:
    body = json.dumps({"email": email, **COURSES, **said})
    response = http.post("/api/contacts", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, fields(response)) == (400, expected)


def test_nothing_of_a_refused_upsert_happens(http: httpx.Client, upsert: Upsert, email: str) -> None:
    assert upsert(status="subscribed", tags=["fine"], verified="no").status_code == 400
    assert http.get("/api/contacts/status", params={"email": email, **COURSES}).json()["exists"] is False


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("2026-05-24", "2026-05-24T00:00:00Z"),
        ("2026-05-24T12:00:00", NOON),
        ("2026-05-24T14:00:00+02:00", NOON),
        ("20260524T120000Z", NOON),
        (" 2026-05-24 12:00:00.25Z ", "2026-05-24T12:00:00.250000Z"),
    ],
)
def test_times_in_every_iso_form_become_utc(upsert: Upsert, said: str, kept: str) -> None:
    assert (
        upsert(email_validation={"status": "valid", "validated_at": said}).json()["email_validation"]["validated_at"]
        == kept
    )


def test_a_null_time_is_no_time(upsert: Upsert) -> None:
    validation = upsert(email_validation={"status": "valid", "validated_at": None}).json()["email_validation"]
    assert validation["status"] == "valid"
    assert validation["validated_at"] is not None


def test_a_suppression_of_another_organization_cannot_be_lifted(
    http: httpx.Client, labs: httpx.Client, upsert: Upsert, email: str
) -> None:
    upsert(status="subscribed")
    flags = {"hard_bounced": True, "complained": True, "global_unsubscribed": True}
    assert labs.post("/api/contacts", json={"email": email, **LABS, "suppression": flags}).status_code == 200
    lifted = dict.fromkeys(flags, False)
    response = upsert(suppression=lifted)
    assert response.status_code == 403
    assert fields(response) == {f"suppression.{flag}": "forbidden" for flag in flags}
    payload = http.get("/api/contacts/status", params={"email": email, **COURSES}).json()
    assert (payload["hard_bounced"], payload["can_send_transactional"]) == (True, False)
    assert labs.post("/api/contacts", json={"email": email, **LABS, "suppression": lifted}).status_code == 200


def test_status_has_no_tags(http: httpx.Client, upsert: Upsert, email: str) -> None:
    written = upsert(tags=["a"]).json()
    del written["tags"]
    response = http.get("/api/contacts/status", params={"email": email.upper(), **COURSES})
    assert response.json() == written
    assert int(response.headers["Datamailer-Position"]) > 0


def test_a_contact_without_a_subscription_in_the_scope_is_answered_as_absent(
    labs: httpx.Client, upsert: Upsert, email: str
) -> None:
    upsert(status="subscribed", verified=True, suppression={"complained": True})
    payload = labs.get("/api/contacts/status", params={"email": f" {email.upper()}", **LABS}).json()
    assert (payload["contact_id"], payload["exists"], payload["email"]) == (None, False, email)
    flags = ("verified", "complained", "can_send_marketing", "can_send_transactional")
    assert not any(payload[flag] for flag in flags)
    assert payload["client"]["slug"] == "asl-platform"
    assert payload["client"]["status"] is None


def test_32_upserts_of_one_new_address_at_once_make_one_contact_with_all_tags(served: Served, email: str) -> None:
    start = threading.Barrier(32)

    def upserted(n: int) -> httpx.Response:
        with served.client() as client:
            client.get("/health")
            start.wait()
            return client.post("/api/contacts", json={"email": email, **COURSES, "tags": [f"tag-{n:02}"]})

    with ThreadPoolExecutor(32) as pool:
        responses = list(pool.map(upserted, range(32)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["contact_id"] for response in responses}) == 1
    with served.client() as client:
        final = client.post("/api/contacts", json={"email": email, **COURSES}).json()
    assert final["tags"] == [f"tag-{n:02}" for n in range(32)]


def test_the_audience_of_a_shared_contact_is_told_apart_by_client(served: Served, email: str) -> None:
    scopes = {slug: {"audience": "datatalks-club", "client": slug} for slug in ("dtc-newsletter", "dtc-courses")}
    statuses = {"dtc-newsletter": "subscribed", "dtc-courses": "unsubscribed"}
    ids = set()
    for slug, scope in scopes.items():
        with served.client(KEYS[slug]) as client:
            ids.add(
                client.post("/api/contacts", json={"email": email, **scope, "status": statuses[slug]}).json()[
                    "contact_id"
                ]
            )
    assert len(ids) == 1
    for slug, scope in scopes.items():
        with served.client(KEYS[slug]) as client:
            payload = client.get("/api/contacts/status", params={"email": email, **scope}).json()
            assert payload["client"]["status"] == statuses[slug]


def test_a_contact_as_of_positions_and_times(http: httpx.Client, upsert: Upsert) -> None:
    first = upsert(tags=["a"])
    number = first.json()["contact_id"]
    begun = int(first.headers["Datamailer-Position"])
    upsert(tags=["b"], status="subscribed")

    def then(**query: str | int) -> httpx.Response:
        return http.get(f"/api/contacts/{number}", params={**COURSES, **query})

    now = then().json()
    assert (now["tags"], now["as_of"], now["client"]["status"]) == (["a", "b"], None, "subscribed")
    early = then(as_of=begun).json()
    assert (early["tags"], early["as_of"], early["position"]) == (["a"], begun, begun)
    assert early["client"]["status"] == "pending"
    before = then(as_of=0).json()
    assert (before["exists"], before["contact_id"], before["email"]) == (False, None, now["email"])
    assert then(as_of="2020-01-01T00:00:00Z").json()["exists"] is False


def test_moments_that_are_none(http: httpx.Client, contact_id: int) -> None:
    for moment, code in (
        ("soon", "must_be_iso_datetime"),
        ("9" * 18, "invalid"),
        ("-5x", "must_be_iso_datetime"),
        ("2999-01-01", "invalid"),
    ):
        response = http.get(f"/api/contacts/{contact_id}", params={**COURSES, "as_of": moment})
        assert (response.status_code, fields(response)) == (400, {"as_of": code})


@pytest.mark.parametrize("number", ["0", "999999999", "-1", "1.5", "abc", "9" * 30, "%C2%B2", "\u0661"])
def test_a_contact_that_is_not_there(http: httpx.Client, number: str) -> None:
    response = http.get(f"/api/contacts/{number}", params=COURSES)
    assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"})


def test_a_contact_of_others_is_not_there(labs: httpx.Client, contact_id: int) -> None:
    assert fields(labs.get(f"/api/contacts/{contact_id}", params=LABS)) == {"contact_id": "not_found"}
