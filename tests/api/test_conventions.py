"""What holds on every route: paths, methods, media types, bodies, headers (contract, Conventions and Errors)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest

from api.app import ROUTES
from api.call import BODY_LIMIT
from tests.api.serving import COURSES, Served, fields

CONTACTS = "/api/contacts"
STATUS = "/api/contacts/status"
JSON = {"Content-Type": "application/json"}


def test_an_unknown_path(http: httpx.Client) -> None:
    for path in ("/", "/api", "/api/nothing", "/api/contacts/1/nothing", "/api/contacts/1/tags/a/b"):
        response = http.get(path)
        assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found"), path


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", CONTACTS, ["GET", "POST"]),
        ("POST", STATUS, ["GET"]),
        ("GET", "/api/contacts/1/tags", ["PUT"]),
        ("PUT", "/api/contacts/1/tags/a", ["DELETE", "POST"]),
        ("POST", "/api/contacts/1", ["GET"]),
        ("OPTIONS", "/api/subscriptions/subscribe", ["POST"]),
        ("PATCH", "/health", ["GET"]),
    ],
)
def test_a_method_that_a_path_does_not_have(http: httpx.Client, method: str, path: str, allowed: list[str]) -> None:
    response = http.request(method, path)
    assert response.status_code == 405
    assert response.json() == {"error": {"code": "method_not_allowed", "allowed_methods": allowed}}
    assert response.headers["Allow"] == ", ".join(allowed)


def test_a_trailing_slash_makes_no_difference_on_any_route(anybody: httpx.Client) -> None:
    for route in ROUTES:
        path = route.path.replace("{contact_id}", "1")
        bare = anybody.request(route.method, path)
        slashed = anybody.request(route.method, f"{path}/")
        assert slashed.status_code == bare.status_code, route.path
        assert slashed.headers["Content-Type"] == bare.headers["Content-Type"]
        assert "Nothing is served at this path" not in slashed.text


def test_head_answers_as_get_does_without_a_body(http: httpx.Client) -> None:
    query = {"email": "learner@example.com", **COURSES}
    head, get = http.head(STATUS, params=query), http.get(STATUS, params=query)
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert head.headers["Content-Length"] == str(len(get.content))
    assert http.head(CONTACTS + "/status").status_code == 400
    assert http.head("/api/subscriptions/subscribe").status_code == 405


def test_a_percent_encoded_path_is_the_same_path(http: httpx.Client, contact_id: int) -> None:
    response = http.post(f"/api/cont%61cts/{contact_id}/tags/spaced%20name%2Fslash", json=COURSES)
    assert response.json()["tags"] == ["spaced-nameslash"]


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "x/y", ";"])
def test_a_body_of_another_type(http: httpx.Client, kind: str) -> None:
    response = http.post(CONTACTS, content=b"{}", headers={"Content-Type": kind})
    assert (response.status_code, response.json()["error"]["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json", None]
)
def test_a_body_that_is_json_by_its_type_or_says_nothing(http: httpx.Client, kind: str | None) -> None:
    response = http.post(CONTACTS, content=b"{}", headers={} if kind is None else {"Content-Type": kind})
    assert fields(response)["email"] == "required"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"nonsense",
        b"{'email': 1}",
        b'{"email": }',
        b'{"a": 1} x',
        b"\xff\xfe",
        b'"\xed\xa0\x80"',
        b'{"email": "\xe9"}',
        b"[" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"NaN",
        b'{"email": Infinity, "x": "\\ud800"}',
        b'{"verified": 1e999}',
        b'{"verified": ' + b"9" * 6000 + b"}",
        b'{"x": "\\ud800", "y": ' + b"9" * 6000 + b"}",
        b'{"x": "\\ud800", "y": ' + b"[" * 50_000,
        b'{"unfinished": "\\ud800',
    ],
)
def test_a_body_that_is_not_json(http: httpx.Client, body: bytes) -> None:
    response = http.post(CONTACTS, content=body, headers=JSON)
    assert (response.status_code, fields(response)) == (400, {"body": "invalid_json"})


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"null", b"true", b'"\\ud800"'])
def test_a_body_that_is_no_object(http: httpx.Client, body: bytes) -> None:
    response = http.post(CONTACTS, content=body, headers=JSON)
    assert (response.status_code, fields(response)) == (400, {"body": "must_be_object"})


def pieces(count: int) -> Iterator[bytes]:
    yield b'{"email": "'
    for _ in range(count):
        yield b"x" * 1024 * 1024
    yield b'"}'


def test_a_body_that_is_too_long(http: httpx.Client) -> None:
    declared = http.post(CONTACTS, content=b" " * (BODY_LIMIT + 1), headers=JSON)
    chunked = http.post(CONTACTS, content=pieces(6), headers=JSON)
    for response in (declared, chunked):
        assert (response.status_code, response.json()["error"]["code"]) == (413, "payload_too_large")
    assert http.get("/health").status_code == 200


def test_a_body_of_the_longest_length(http: httpx.Client) -> None:
    padded = b'{"email": "x"}'.ljust(BODY_LIMIT)
    assert "email" in fields(http.post(CONTACTS, content=padded, headers=JSON))
    assert "email" in fields(http.post(CONTACTS, content=pieces(4), headers=JSON))


def test_a_client_that_hangs_up_in_the_middle_of_a_body(served: Served, http: httpx.Client) -> None:
    port = int(served.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST /api/contacts HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n")
        connection.sendall(f"authorization: {http.headers['Authorization']}\r\n".encode())
        connection.sendall(b"content-length: 100\r\n\r\n{")
    assert http.get("/health").status_code == 200


@pytest.mark.parametrize("path", [b"/api/contacts/\xff", b"/api/contacts/%FF/tags/%00", b"/api/contacts/%ED%A0%80"])
def test_a_path_that_is_no_text(served: Served, http: httpx.Client, path: bytes) -> None:
    port = int(served.base_url.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(b"POST " + path + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
        status = connection.recv(100).split(b" ", 2)
    assert status[1:2] < [b"500"]
    assert http.get("/health").status_code == 200


def is_uuid(text: str) -> bool:
    return str(UUID(text)) == text


def test_every_answer_has_a_correlation_id(http: httpx.Client, anybody: httpx.Client) -> None:
    own = "8f14e45f-ceea-467f-a1d3-0b6b8a3a2c11"
    for response in (http.get("/health"), anybody.get(STATUS), http.get("/nowhere"), http.delete("/health")):
        assert is_uuid(response.headers["Datamailer-Correlation-Id"])
    assert http.get("/health", headers={"Datamailer-Correlation-Id": own}).headers["Datamailer-Correlation-Id"] == own
    replaced = http.get("/health", headers={"Datamailer-Correlation-Id": "not an id"})
    assert is_uuid(replaced.headers["Datamailer-Correlation-Id"])


def test_answers_about_people_are_not_to_be_cached(http: httpx.Client) -> None:
    response = http.get(STATUS, params={"email": "learner@example.com", **COURSES})
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    ("scope", "status", "expected"),
    [
        ({}, 400, {"audience": "required", "client": "required"}),
        ({"audience": " ", "client": ""}, 400, {"audience": "required", "client": "required"}),
        ({"audience": None, "client": None}, 400, {"audience": "required", "client": "required"}),
        ({"audience": 1, "client": ["x"]}, 400, {"audience": "must_be_string", "client": "must_be_string"}),
        (COURSES | {"audience": "nowhere"}, 400, {"audience": "not_found"}),
        (COURSES | {"audience": "ai-shipping-labs"}, 400, {"audience": "not_found"}),
        (COURSES | {"audience": "a\x00b"}, 400, {"audience": "invalid"}),
        (COURSES | {"client": "dtc-newsletter"}, 403, {"client": "forbidden"}),
        (COURSES | {"client": "DTC-COURSES"}, 403, {"client": "forbidden"}),
        ({"client": "dtc-newsletter", "audience": "x"}, 403, {"client": "forbidden", "audience": "not_found"}),
        ({"client": "dtc-newsletter"}, 403, {"client": "forbidden", "audience": "required"}),
    ],
)
def test_the_scope_of_a_command(
    http: httpx.Client, email: str, scope: dict[str, object], status: int, expected: dict[str, str]
) -> None:
    response = http.post(CONTACTS, json={"email": email, **scope})
    assert (response.status_code, fields(response)) == (status, expected)


def test_the_scope_and_all_other_fields_are_judged_at_once(http: httpx.Client) -> None:
    wrong = {"email": "nobody", "client": "dtc-newsletter", "verified": 1, "email_validation": {"status": "x"}}
    response = http.post(CONTACTS, json=wrong)
    assert response.status_code == 403
    assert fields(response) == {
        "email": "invalid",
        "audience": "required",
        "client": "forbidden",
        "verified": "must_be_boolean",
        "email_validation.status": "invalid",
    }


def test_the_scope_of_a_read_stands_in_the_query(http: httpx.Client) -> None:
    assert fields(http.get(STATUS)) == {"email": "required", "audience": "required", "client": "required"}
    assert fields(http.get(STATUS, params={"email": " ", "audience": "x", "client": "dtc-courses"})) == {
        "email": "required",
        "audience": "not_found",
    }


def test_space_around_slugs_and_addresses_is_trimmed(http: httpx.Client, email: str) -> None:
    spaced = {"email": f"  {email.upper()} ", "audience": " dtc-courses ", "client": "dtc-courses "}
    response = http.post(CONTACTS, json=spaced)
    assert (response.status_code, response.json()["email"]) == (200, email)


def test_unknown_fields_are_ignored(http: httpx.Client, email: str) -> None:
    response = http.post(CONTACTS, json={"email": email, **COURSES, "unknown": {"deep": ["\x00"]}})
    assert response.status_code == 200
