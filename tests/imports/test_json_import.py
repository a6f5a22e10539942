"""Many upserts in one JSON body: each succeeds or fails for itself."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.imports.service import CLIENT, Service

JSON = "/api/contacts/imports"


def send(service: Service, audience: str, contacts: Any, **more: Any) -> Any:
    response = service.post(JSON, json={"audience": audience, "client": CLIENT, "contacts": contacts, **more})
    assert response.status_code == 200, response.text
    return response.json()


def refused(service: Service, body: Any) -> tuple[int, dict[str, str]]:
    response = service.http.post(JSON, json=body)
    return response.status_code, response.json()["error"]["fields"]


def test_items_are_upserts(service: Service, audience: str) -> None:
    full = {
        "email": " Full@Example.com ",
        "subscription_status": "unsubscribed",
        "tags": ["One", "two"],
        "verified": True,
        "email_validation": {"status": "valid", "reason": "smtp", "validated_at": "2026-05-24T12:00:00Z"},
        "suppression": {"complained": True},
    }
    answer = send(service, audience, [full, {"email": "least@example.com"}], idempotency_key="k")
    assert answer["counts"] == {"total": 2, "created": 2, "updated": 0, "unchanged": 0, "skipped": 0, "invalid": 0}
    assert (answer["dry_run"], answer["idempotency_key"], answer["errors"]) == (False, "k", [])
    assert [result["item"] for result in answer["results"]] == [1, 2]
    first, second = service.page(audience)["contacts"]
    assert (first["email"], first["tags"], first["complained"]) == ("full@example.com", ["one", "two"], True)
    assert (first["subscription_status"], first["client"]["verified"]) == ("unsubscribed", True)
    assert first["email_validation"] == {"status": "valid", "reason": "smtp", "validated_at": "2026-05-24T12:00:00Z"}
    assert (second["subscription_status"], second["verified"], second["tags"]) == ("pending", False, [])


def test_what_an_item_does_not_say_it_does_not_change(service: Service, audience: str) -> None:
    send(service, audience, [{"email": "kept@example.com", "status": "subscribed", "verified": True, "tags": ["a"]}])
    before = service.page(audience)["contacts"]
    assert send(service, audience, [{"email": "kept@example.com"}])["counts"]["unchanged"] == 1
    assert service.page(audience)["contacts"] == before
    assert send(service, audience, [{"email": "kept@example.com", "verified": False}])["counts"]["updated"] == 1
    assert service.page(audience)["contacts"][0]["verified"] is False


def test_every_mistake_of_every_item_is_named(service: Service, audience: str) -> None:
    items = [
        {"email": "ok@example.com"},
        {"email": "no", "status": "x", "tags": [1], "verified": "yes", "suppression": {"complained": 1}},
        {},
        "text",
        {"email": "nul\0@example.com"},
        {"email": "x@example.com", "audience": "nowhere", "client": "asl-platform"},
        {"email": "x@example.com", "audience": 5, "client": None},
        {"email": "OK@example.com"},
    ]
    answer = send(service, audience, items)
    assert answer["counts"] == {"total": 8, "created": 1, "updated": 0, "unchanged": 0, "skipped": 1, "invalid": 6}
    assert answer["results"][1] | {"index": 7, "kept_item": 1, "reason": "duplicate_input"} == answer["results"][1]
    assert [(error["item"], error["row"], error["email"], error["errors"]) for error in answer["errors"]] == [
        (
            2,
            None,
            "no",
            {
                "email": "invalid",
                "status": "invalid",
                "tags": "must_be_non_empty_strings",
                "verified": "must_be_boolean",
                "suppression.complained": "must_be_boolean",
            },
        ),
        (3, None, "", {"email": "required"}),
        (4, None, "", {"contact": "must_be_object"}),
        (5, None, "nul\N{REPLACEMENT CHARACTER}@example.com", {"email": "invalid"}),
        (6, None, "x@example.com", {"audience": "not_found", "client": "forbidden"}),
        (7, None, "x@example.com", {"audience": "must_be_string", "client": "must_be_string"}),
    ]


def test_a_lone_surrogate_costs_only_its_item(service: Service, audience: str) -> None:
    body = '{"audience": "%s", "client": "%s", "contacts": [{"email": "\\ud800@x.org"}, {"email": "s@example.com"}]}'
    headers = {"content-type": "application/json"}
    answer = service.http.post(JSON, content=body % (audience, CLIENT), headers=headers).json()
    assert answer["counts"] == {"total": 2, "created": 1, "updated": 0, "unchanged": 0, "skipped": 0, "invalid": 1}


def test_an_item_may_name_its_own_scope(service: Service, audience: str) -> None:
    body = {"contacts": [{"email": "own@example.com", "audience": audience, "client": CLIENT}, {"email": "x@x.org"}]}
    answer = service.post(JSON, json=body).json()
    assert [error["errors"] for error in answer["errors"]] == [{"audience": "required", "client": "required"}]
    assert service.emails(audience) == ["own@example.com"]


def test_a_suppression_of_others_cannot_be_lifted_but_the_next_item_counts(service: Service, audience: str) -> None:
    """``complained@example.com`` of the demo data complained to another client of the organization, and to others."""
    labs = {"email": "shared@example.com", "audience": "ai-shipping-labs", "client": "asl-platform"}
    key = {"authorization": "Bearer dm_aslplatform_demo_transactional_email_key"}
    service.http.post("/api/contacts", json=labs | {"suppression": {"hard_bounced": True}}, headers=key)
    lift = {"email": "shared@example.com", "suppression": {"hard_bounced": False}}
    answer = send(service, audience, [lift, {"email": "shared@example.com"}, lift])
    assert [error["errors"] for error in answer["errors"]] == [{"suppression.hard_bounced": "forbidden"}]
    assert [(result["item"], result["action"]) for result in answer["results"]] == [(2, "created"), (3, "skipped")]


def test_a_dry_run_writes_nothing(service: Service, audience: str) -> None:
    head = service.store.recorder.head()
    answer = send(service, audience, [{"email": "dry@example.com"}], dry_run=True)
    assert [result["action"] for result in answer["results"]] == ["would_create"]
    assert service.store.recorder.head() == head


def test_lines_of_json_on_request(service: Service, audience: str) -> None:
    body = {"audience": audience, "client": CLIENT, "contacts": [{"email": "l@example.com"}, {}]}
    response = service.http.post(JSON, json=body, headers={"accept": "application/x-ndjson"})
    result, error, counts = (json.loads(line) for line in response.text.splitlines())
    assert (result["action"], error["errors"], counts["counts"]["total"]) == ("created", {"email": "required"}, 2)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        ([], 400, {"body": "must_be_object"}),
        ({}, 400, {"contacts": "required"}),
        ({"contacts": {}}, 400, {"contacts": "must_be_list"}),
        (
            {"contacts": [], "audience": "nowhere", "client": 1},
            400,
            {"audience": "not_found", "client": "must_be_string"},
        ),
        (
            {"contacts": [], "client": "asl-platform", "dry_run": 1},
            403,
            {"client": "forbidden", "dry_run": "must_be_boolean"},
        ),
    ],
)
def test_a_request_that_is_wrong_as_a_whole_is_refused(
    service: Service, body: Any, status: int, fields: dict[str, str]
) -> None:
    assert refused(service, body) == (status, fields)


def test_a_repeat_under_an_idempotency_key_gets_the_first_answer(service: Service, audience: str) -> None:
    body = {"audience": audience, "client": CLIENT, "contacts": [{"email": "once@example.com"}]}
    answers = [service.http.post(JSON, json=body, headers={"idempotency-key": audience}) for _ in range(2)]
    assert [answer.headers.get("idempotent-replayed") for answer in answers] == [None, "true"]
    assert answers[0].json() == answers[1].json()
