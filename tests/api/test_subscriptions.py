"""Subscribing and unsubscribing by address (contract, Subscriptions)."""

from __future__ import annotations

import httpx
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, fields

SUBSCRIBE = "/api/subscriptions/subscribe"
UNSUBSCRIBE = "/api/subscriptions/unsubscribe"


def test_subscribing_a_new_address(http: httpx.Client, email: str) -> None:
    response = http.post(SUBSCRIBE, json={"email": email, **COURSES, "tags": ["a"]})
    assert response.status_code == 200
    payload = response.json()
    assert (payload["client"]["status"], payload["client"]["verified"], payload["tags"]) == ("subscribed", True, ["a"])
    assert payload["can_send_marketing"] is True
    again = http.post(SUBSCRIBE, json={"email": email, **COURSES})
    assert again.json() == payload


@pytest.mark.parametrize("scope", ["client", "audience", "global"])
def test_unsubscribing_at_every_scope(http: httpx.Client, upsert: Upsert, email: str, scope: str) -> None:
    upsert(status="subscribed", verified=True, tags=["a"])
    said = {"email": email, **COURSES, "scope": scope, "reason": "not for me"}
    payload = http.post(UNSUBSCRIBE, json=said).json()
    assert payload["scope"] == scope
    assert "tags" not in payload
    assert payload["can_send_marketing"] is False
    assert payload["global_unsubscribed"] is (scope == "global")
    assert payload["client"]["status"] == ("unsubscribed" if scope == "client" else "subscribed")
    assert payload["audience"]["status"] == ("unsubscribed" if scope == "audience" else None)
    if scope != "global":
        assert payload[scope]["unsubscribe_reason"] == "not for me"
        assert payload[scope]["unsubscribed_at"] is not None


def test_an_opt_out_of_an_address_never_seen_is_kept(http: httpx.Client, email: str) -> None:
    payload = http.post(UNSUBSCRIBE, json={"email": email, **COURSES, "scope": "client"}).json()
    assert (payload["exists"], payload["client"]["status"]) == (True, "unsubscribed")


def test_coming_back(http: httpx.Client, email: str) -> None:
    http.post(UNSUBSCRIBE, json={"email": email, **COURSES, "scope": "client", "reason": "busy"})
    payload = http.post(SUBSCRIBE, json={"email": email, **COURSES}).json()
    assert (payload["client"]["status"], payload["client"]["unsubscribe_reason"]) == ("subscribed", "")


@pytest.mark.parametrize(
    ("path", "said", "expected"),
    [
        (SUBSCRIBE, {"email": None}, {"email": "required"}),
        (SUBSCRIBE, {"email": 1}, {"email": "must_be_string"}),
        (SUBSCRIBE, {"email": "x"}, {"email": "invalid"}),
        (SUBSCRIBE, {"tags": None}, {"tags": "must_be_list"}),
        (SUBSCRIBE, {"tags": [1]}, {"tags": "must_be_non_empty_strings"}),
        (SUBSCRIBE, {"tags": ["?"]}, {"tags": "invalid"}),
        (UNSUBSCRIBE, {"email": ""}, {"email": "required", "scope": "required"}),
        (UNSUBSCRIBE, {"scope": ""}, {"scope": "required"}),
        (UNSUBSCRIBE, {"scope": 1}, {"scope": "must_be_string"}),
        (UNSUBSCRIBE, {"scope": "everything"}, {"scope": "invalid"}),
        (UNSUBSCRIBE, {"scope": "client", "reason": 7}, {"reason": "must_be_string"}),
        (UNSUBSCRIBE, {"scope": "client", "reason": "x" * 256}, {"reason": "too_long"}),
        (UNSUBSCRIBE, {"scope": "client", "client": "dtc-newsletter"}, {"client": "forbidden"}),
        (UNSUBSCRIBE, {"scope": "client", "audience": "nowhere"}, {"audience": "not_found"}),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, email: str, path: str, said: dict[str, object], expected: dict[str, str]
) -> None:
    response = http.post(path, json={"email": email, **COURSES, **said})
    assert (response.status_code, fields(response)) == (403 if "forbidden" in expected.values() else 400, expected)
