"""Requests to send that are refused: every wrong field with its code (contract, transactional mail)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.serving import COURSES, LABS, fields
from tests.api.transactional import SEND, have_templates, plain


@pytest.fixture(scope="module", autouse=True)
def templates(http: httpx.Client) -> None:
    have_templates(http)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"email": None}, {"email": "required"}),
        ({"email": "nobody"}, {"email": "invalid"}),
        ({"email": "пример@example.com"}, {"email": "unsupported"}),
        ({"template_key": ""}, {"template_key": "required"}),
        ({"template_key": "off"}, {"template_key": "invalid"}),
        ({"template_key": "welcome"}, {"context.name": "required", "context.course.title": "required"}),
        (
            {"template_key": "welcome", "context": {"name": None, "course": 1}},
            {"context.name": "required", "context.course.title": "required"},
        ),
        ({"context": []}, {"context": "must_be_object"}),
        ({"context": {"zero": 0}}, {"context": "invalid"}),
        ({"context": {"zero": {}}}, {"context": "invalid"}),
        ({"context": {"subject": "Hi\r\nBcc: everybody@example.com"}}, {"subject": "invalid"}),
        ({"context": {"subject": "x" * 256}}, {"subject": "too_long"}),
        ({"metadata": "x"}, {"metadata": "must_be_object"}),
        ({"idempotency_key": 1}, {"idempotency_key": "must_be_string"}),
        ({"idempotency_key": "x" * 256}, {"idempotency_key": "too_long"}),
        ({"idempotency_key": "\x00"}, {"idempotency_key": "invalid"}),
        ({"from_email": "nobody"}, {"from_email": "not_found"}),
        ({"reply_to": "nobody"}, {"reply_to": "invalid"}),
        ({"cc": "c@example.com"}, {"cc": "must_be_list"}),
        ({"cc": [""]}, {"cc": "must_be_non_empty_strings"}),
        ({"cc": ["c@example.com", "c"], "bcc": ["b\n@example.com"]}, {"cc.1": "invalid", "bcc.0": "invalid"}),
        ({"cc": ["c@example.com"] * 50}, {"cc": "too_many"}),
        ({"headers": []}, {"headers": "must_be_object"}),
        ({"headers": {"X-A": 1}}, {"headers.X-A": "must_be_string"}),
        (
            {"headers": {"Subject": "x", "X A": "x", "X-A": "a\r\nb", "CONTENT-type": "x"}},
            {
                "headers.Subject": "reserved",
                "headers.X A": "invalid_name",
                "headers.X-A": "invalid_value",
                "headers.CONTENT-type": "reserved",
            },
        ),
        ({"headers": {f"X-{n}": "x" for n in range(21)}}, {"headers": "too_many"}),
        ({"message_parts": {}}, {"message_parts": "must_be_list"}),
        (
            {"message_parts": [{}]},
            {"message_parts.0.content_type": "required", "message_parts.0.content": "required"},
        ),
        (
            {"message_parts": [{"content_type": "image/png", "content": "x"}]},
            {"message_parts.0.content_type": "unsupported"},
        ),
        (
            {"message_parts": [{"content_type": "text/csv", "content": "x", "filename": "../a"}]},
            {"message_parts.0.filename": "invalid"},
        ),
        ({"message_parts": [{"content_type": "text/csv", "content": "x"}] * 11}, {"message_parts": "too_many"}),
        ({"category_tag": "news"}, {"audience": "required", "client": "required"}),
        ({"category_tag": "!", **COURSES}, {"category_tag": "invalid"}),
        ({"category_tag": "news", **COURSES, "audience": "nowhere"}, {"audience": "not_found"}),
        ({"dry_run": "yes"}, {"dry_run": "must_be_boolean"}),
        (
            {"from_email": "nobody", "cc": ["c"], "category_tag": "news", "template_key": "never"},
            {
                "from_email": "not_found",
                "cc.0": "invalid",
                "audience": "required",
                "client": "required",
                "template_key": "not_found",
            },
        ),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, email: str, said: dict[str, Any], expected: dict[str, str]
) -> None:
    response = http.post(SEND, json={"email": email, "template_key": "plain", **said})
    assert (response.status_code, fields(response)) == (400, expected)
    assert http.post("/api/contacts/erase", json={"email": email, **COURSES}).json()["erased"] is False


def test_half_a_surrogate_pair_in_the_context(http: httpx.Client, email: str) -> None:
    body = f'{{"email": "{email}", "template_key": "plain", "context": {{"a": "\\ud800"}}}}'
    response = http.post(SEND, content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, fields(response)) == (400, {"context.a": "invalid"})


@pytest.mark.parametrize("depth", [101, 500, 990, 5_000])
def test_a_context_that_is_too_deep(http: httpx.Client, email: str, depth: int) -> None:
    body = f'{{"email": "{email}", "template_key": "plain", "context": {{"a": {"[" * depth}{"]" * depth}}}}}'
    response = http.post(SEND, content=body, headers={"Content-Type": "application/json"})
    assert response.status_code == 400
    assert fields(response) in ({"context.a": "invalid"}, {"body": "invalid_json"})


def test_another_s_scope_is_forbidden_and_a_template_that_is_not_there_not_found(
    http: httpx.Client, email: str
) -> None:
    foreign = plain(http, email, category_tag="news", **LABS)
    assert (foreign.status_code, fields(foreign)) == (403, {"audience": "not_found", "client": "forbidden"})
    unknown = http.post(SEND, json={"email": email, "template_key": "never"})
    assert (unknown.status_code, fields(unknown)) == (404, {"template_key": "not_found"})


@pytest.mark.parametrize("number", ["0", "-1", "x", "999999999", "9" * 40])
def test_a_message_that_is_not_there(http: httpx.Client, number: str) -> None:
    response = http.get(f"/api/transactional/messages/{number}")
    assert (response.status_code, fields(response)) == (404, {"id": "not_found"})
