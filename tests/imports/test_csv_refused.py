"""What is no CSV file, or comes without what it needs, is refused before anything is written."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest

from tests.imports.service import CLIENT, Service

CSV = "/api/contacts/imports/csv"


@pytest.mark.parametrize(
    ("fields", "status", "errors"),
    [
        ({}, 400, {"audience": "required", "client": "required"}),
        ({"audience": "nowhere", "client": CLIENT}, 400, {"audience": "not_found"}),
        ({"audience": "dtc-courses", "client": "asl-platform"}, 403, {"client": "forbidden"}),
        ({"audience": "dtc-courses", "client": CLIENT, "dry_run": "x"}, 400, {"dry_run": "must_be_boolean"}),
        (
            {"audience": "dtc-courses", "client": CLIENT, "idempotency_key": "x" * 256},
            400,
            {"idempotency_key": "too_long"},
        ),
    ],
)
def test_what_is_wrong_beside_the_file_refuses_it(
    service: Service, fields: dict[str, str], status: int, errors: dict[str, str]
) -> None:
    head = service.store.recorder.head()
    response = service.http.post(CSV, files={"file": ("x.csv", "email\na@example.com\n")}, data=fields)
    assert (response.status_code, response.json()["error"]["fields"]) == (status, errors)
    assert service.store.recorder.head() == head


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "required"),
        (b"\n\n", "missing_header"),
        (b"name,tags\nx,y\n", "missing_email_column"),
        ("email\nrené@example.com\n".encode("latin-1"), "must_be_utf8"),
        ("email\na@example.com\n".encode("utf-16"), "must_be_utf8"),
        (b"email\na@example.com\n" * 100_000 + b"\xff", "must_be_utf8"),
    ],
)
@pytest.mark.parametrize("background", ["", "true"])
def test_a_bad_file_is_refused_before_anything_is_written(
    service: Service, content: bytes, code: str, background: str
) -> None:
    head = service.store.recorder.head()
    scope = {"audience": "dtc-courses", "client": CLIENT}
    files = {"file": ("x.csv", content)}
    response = service.http.post(CSV, params={"async": background}, files=files, data=scope)
    assert (response.status_code, response.json()["error"]) == (
        400,
        {"code": "validation_error", "fields": {"csv": code}},
    )
    assert service.store.recorder.head() == head


def test_neither_file_nor_text_is_required(service: Service) -> None:
    scope = {"audience": "dtc-courses", "client": CLIENT}
    for sent in ({"json": scope}, {"files": {name: (None, value) for name, value in scope.items()}}):
        response = service.http.post(CSV, **sent)
        assert response.json()["error"]["fields"] == {"csv": "required"}


@pytest.mark.parametrize(
    ("sent", "status", "error"),
    [
        ({"content": b"x", "headers": {"content-type": "image/png"}}, 415, "unsupported_media_type"),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data"}}, 400, {"body": "invalid"}),
        ({"content": b"x", "headers": {"content-type": "multipart/form-data; boundary=y"}}, 400, {"body": "invalid"}),
        (
            {"content": b"--y\r\n", "headers": {"content-type": "multipart/form-data; boundary=y"}},
            400,
            {"body": "invalid"},
        ),
        ({"files": {"audience": (None, b"\xff")}}, 400, {"audience": "invalid"}),
        ({"files": {"audience": (None, b"x" * 70_000)}}, 400, {"audience": "too_long"}),
        ({"files": [("file", ("a", b"a")), ("file", ("b", b"b"))]}, 400, {"file": "too_many"}),
        ({"files": [("x", (None, b"a"))] * 65}, 400, {"body": "too_many"}),
        ({"content": b"{", "headers": {"content-type": "application/json"}}, 400, {"body": "invalid_json"}),
        ({"json": ["email"]}, 400, {"body": "must_be_object", "csv": "required"}),
        ({"json": {"csv": 5}}, 400, {"csv": "must_be_string"}),
        ({"content": b'{"csv": "\\ud800"}', "headers": {"content-type": "application/json"}}, 400, {"csv": "invalid"}),
        (
            {"content": b'{"csv": "%s"}' % (b"x" * 5_300_000), "headers": {"content-type": "application/json"}},
            413,
            "payload_too_large",
        ),
    ],
)
def test_a_request_that_is_not_what_it_says_is_refused(
    service: Service, sent: dict[str, Any], status: int, error: str | dict[str, str]
) -> None:
    response = service.http.post(CSV, params={"audience": "dtc-courses", "client": CLIENT}, **sent)
    found = response.json()["error"]
    assert response.status_code == status, response.text
    if isinstance(error, str):
        assert found["code"] == error
    else:
        assert error.items() <= found["fields"].items()


def test_a_file_that_is_too_large_is_refused_before_it_is_sent(service: Service) -> None:
    head = [
        f"POST {CSV} HTTP/1.1",
        "host: localhost",
        f"authorization: {service.http.headers['authorization']}",
        "content-type: text/csv",
        f"content-length: {512 * 1024 * 1024 + 1}",
    ]
    with socket.create_connection((service.http.base_url.host, service.http.base_url.port or 0)) as connection:
        connection.sendall("\r\n".join([*head, "", ""]).encode())
        assert connection.recv(20).startswith(b"HTTP/1.1 413")


def test_without_a_key_nobody_imports(service: Service) -> None:
    response = httpx.post(f"{service.http.base_url}{CSV}", files={"file": ("x.csv", "email\n")})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "missing_authorization")
