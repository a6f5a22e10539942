"""The Idempotency-Key of a POST (contract, Idempotency)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import httpx
import psycopg
import pytest

from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, Served, fields, serving, settings_of

SUBSCRIBE = "/api/subscriptions/subscribe"


@pytest.fixture
def key() -> dict[str, str]:
    """A header with a key that nobody has used."""
    return {"Idempotency-Key": str(uuid4())}


def head(conninfo: str) -> Any:
    with psycopg.connect(conninfo) as connection:
        return connection.execute("SELECT max(notification_id) FROM log").fetchone()


def test_a_repeat_gets_the_first_answer(
    http: httpx.Client, upsert: Upsert, email: str, key: dict[str, str], demo_database: str
) -> None:
    body = {"email": email, **COURSES, "tags": ["a"]}
    first = http.post("/api/contacts", json=body, headers=key)
    upsert(tags=["b"])
    before = head(demo_database)
    again = http.post("/api/contacts", json=body, headers=key)
    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Datamailer-Position"] == first.headers["Datamailer-Position"]
    assert "Idempotent-Replayed" not in first.headers
    assert head(demo_database) == before


def test_a_repeat_in_another_process_gets_the_first_answer(
    http: httpx.Client, email: str, key: dict[str, str], demo_database: str
) -> None:
    body = {"email": email, **COURSES, "tags": ["a"]}
    first = http.post("/api/contacts", json=body, headers=key)
    with serving(settings_of(demo_database)) as other, other.client() as elsewhere:
        again = elsewhere.post("/api/contacts", json=body, headers=key)
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/contacts", {"email": "somebody-else@example.com", **COURSES}),
        (SUBSCRIBE, {"email": "somebody@example.com", **COURSES}),
        ("/api/contacts", {"email": "wrong", **COURSES}),
    ],
)
def test_another_request_under_the_same_key(
    http: httpx.Client, key: dict[str, str], path: str, body: dict[str, str]
) -> None:
    first = {"email": "somebody@example.com", **COURSES}
    assert http.post("/api/contacts", json=first, headers=key).status_code == 200
    response = http.post(path, json=body, headers=key)
    assert (response.status_code, response.json()["error"]["code"]) == (422, "idempotency_mismatch")
    assert http.post("/api/contacts", json=first, headers=key).headers["Idempotent-Replayed"] == "true"


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/contacts", {"email": "wrong"}, 400),
        ("/api/contacts", {"email": "a@example.com", **COURSES, "client": "dtc-newsletter"}, 403),
        ("/api/contacts/1/tags/!!!", COURSES, 400),
        ("/api/contacts/987654321/tags/a", COURSES, 404),
    ],
)
def test_a_refusal_is_remembered_too(
    http: httpx.Client, key: dict[str, str], path: str, body: dict[str, str], status: int
) -> None:
    first = http.post(path, json=body, headers=key)
    assert first.status_code == status
    again = http.post(path, json=body, headers=key)
    assert (again.status_code, again.content) == (status, first.content)
    assert again.headers["Idempotent-Replayed"] == "true"


def test_a_body_that_is_not_json_is_remembered_too(http: httpx.Client, key: dict[str, str]) -> None:
    for replayed in (None, "true"):
        response = http.post("/api/contacts", content=b"{", headers={**key, "Content-Type": "application/json"})
        assert fields(response) == {"body": "invalid_json"}
        assert response.headers.get("Idempotent-Replayed") == replayed


def test_keys_are_the_clients_own(http: httpx.Client, labs: httpx.Client, email: str, key: dict[str, str]) -> None:
    ours = http.post("/api/contacts", json={"email": email, **COURSES}, headers=key)
    theirs = labs.post("/api/contacts", json={"email": email, **LABS}, headers=key)
    assert (ours.status_code, theirs.status_code) == (200, 200)
    assert "Idempotent-Replayed" not in theirs.headers


def test_requests_at_once_under_one_key_are_carried_out_once(
    served: Served, email: str, key: dict[str, str], demo_database: str
) -> None:
    start = threading.Barrier(8)

    def posted(_: int) -> httpx.Response:
        with served.client() as client:
            client.get("/health")
            start.wait()
            return client.post(SUBSCRIBE, json={"email": email, **COURSES}, headers=key)

    with ThreadPoolExecutor(8) as pool:
        responses = list(pool.map(posted, range(8)))
    busy = [response for response in responses if response.status_code == 409]
    done = [response for response in responses if response.status_code == 200]
    assert len(busy) + len(done) == 8
    assert {response.json()["error"]["code"] for response in busy} <= {"request_in_progress"}
    assert len({response.content for response in done}) == 1
    with psycopg.connect(demo_database) as connection:
        number = done[0].json()["contact_id"]
        events = connection.execute("SELECT count(*) FROM log WHERE contact_id = %s", (number,)).fetchone()
    assert events == (2,)


@pytest.mark.parametrize(("value", "code"), [("", "required"), ("x" * 256, "too_long")])
def test_keys_that_are_none(http: httpx.Client, email: str, value: str, code: str) -> None:
    response = http.post("/api/contacts", json={"email": email, **COURSES}, headers={"Idempotency-Key": value})
    assert (response.status_code, fields(response)) == (400, {"Idempotency-Key": code})


def test_a_key_of_the_longest_length(http: httpx.Client, email: str) -> None:
    headers = {"Idempotency-Key": uuid4().hex.ljust(255, "x")}
    body = {"email": email, **COURSES}
    assert http.post("/api/contacts", json=body, headers=headers).status_code == 200
    assert http.post("/api/contacts", json=body, headers=headers).headers["Idempotent-Replayed"] == "true"


def test_other_methods_take_no_key(http: httpx.Client, contact_id: int, key: dict[str, str]) -> None:
    for tags in (["a"], ["b"]):
        response = http.put(f"/api/contacts/{contact_id}/tags", json={**COURSES, "tags": tags}, headers=key)
        assert response.json()["tags"] == tags


def test_a_new_api_key_is_shown_once_even_so(operator: httpx.Client, key: dict[str, str]) -> None:
    path, body = "/admin/api/clients/asl-platform/keys", {"name": f"key {key['Idempotency-Key']}"}
    first = operator.post(path, json=body, headers=key)
    again = operator.post(path, json=body, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == first.json() | {"key": None}
    assert first.json()["key"].startswith(f"dm_{first.json()['public_id']}_")


def test_remembered_answers_are_not_readable_in_the_database(
    http: httpx.Client, email: str, key: dict[str, str], demo_database: str
) -> None:
    http.post("/api/contacts", json={"email": email, **COURSES}, headers=key)
    with psycopg.connect(demo_database) as connection:
        rows = connection.execute("SELECT body FROM idempotency").fetchall()
    assert rows
    assert not any(email.encode() in body for (body,) in rows)
