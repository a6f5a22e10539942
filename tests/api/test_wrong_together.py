"""Every wrong field at once: what cannot be read, and what the rules refuse in the rest (contract, Errors)."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.api.serving import COURSES, fields

CAMPAIGN = "/api/campaigns/wrong-together"
TEMPLATE = "/api/transactional/templates/wrong-together"
SEND = "/api/transactional/send"
LIST_SEND = "/api/transient-recipient-lists/transactional-send"
SCOPE_REQUIRED = {"audience": "required", "client": "required"}


@pytest.fixture(scope="module")
def greeting(http: httpx.Client) -> str:
    key = "wrong-together-greeting"
    content = {"name": "Greeting", "subject": "Hi {{ name }}", "text_body": "Hi", "required_context": ["name"]}
    assert http.put(f"/api/transactional/templates/{key}", json=content).status_code == 200
    return key


@pytest.mark.parametrize(
    ("method", "path", "said", "wrong"),
    [
        ("PUT", CAMPAIGN, {}, {**SCOPE_REQUIRED, "subject": "required", "body": "required"}),
        (
            "PUT",
            CAMPAIGN,
            {"audience": "nowhere", "client": COURSES["client"], "subject": "a\nb", "from_email": "nobody"},
            {"audience": "not_found", "subject": "invalid", "from_email": "not_found", "body": "required"},
        ),
        (
            "PUT",
            CAMPAIGN,
            {**COURSES, "subject": 1, "html_body": 2, "category_tag": "!!!", "recipient_list_key": "a::b"},
            {
                "subject": "must_be_string",
                "html_body": "must_be_string",
                "category_tag": "invalid",
                "recipient_list_key": "invalid",
            },
        ),
        (
            "PUT",
            CAMPAIGN,
            {**COURSES, "category_tag": "!!!"},
            {"category_tag": "invalid", "subject": "required", "body": "required"},
        ),
        ("PUT", TEMPLATE, {}, {"name": "required", "subject": "required", "body": "required"}),
        (
            "PUT",
            TEMPLATE,
            {"name": 1, "subject": "s", "html_body": "{{ x", "default_sender_id": "nobody"},
            {"name": "must_be_string", "html_body": "invalid", "default_sender_id": "not_found"},
        ),
        ("POST", SEND, {"email": "no address"}, {"email": "invalid", "template_key": "required"}),
        (
            "POST",
            SEND,
            {"email": "x", "template_key": "none", "headers": {"To": "x"}, "cc": ["y"], "from_email": "z"},
            {
                "email": "invalid",
                "template_key": "not_found",
                "headers.To": "reserved",
                "cc.0": "invalid",
                "from_email": "not_found",
            },
        ),
        (
            "POST",
            SEND,
            {"email": 1, "category_tag": "news"},
            {"email": "must_be_string", "template_key": "required", **SCOPE_REQUIRED},
        ),
        (
            "POST",
            LIST_SEND,
            {},
            {"template_key": "required", "members": "required", "idempotency_key": "required"},
        ),
        (
            "POST",
            LIST_SEND,
            {
                "template_key": "none",
                "idempotency_key": "k",
                "members": [{"source_object_key": "a", "email": f"{name}@example.com"} for name in "xy"],
            },
            {"template_key": "not_found", "members.1.source_object_key": "duplicate"},
        ),
    ],
)
def test_every_wrong_field(
    http: httpx.Client, method: str, path: str, said: dict[str, Any], wrong: dict[str, str]
) -> None:
    response = http.request(method, path, json=said)
    assert (response.status_code, fields(response)) == (400, wrong)
    assert http.get(path).status_code in {404, 405}


def test_the_template_is_tried_out_though_the_address_is_none(http: httpx.Client, greeting: str) -> None:
    response = http.post(SEND, json={"email": "no address", "template_key": greeting})
    assert fields(response) == {"email": "invalid", "context.name": "required"}


def test_a_context_that_cannot_be_read_lacks_nothing(http: httpx.Client, greeting: str) -> None:
    response = http.post(SEND, json={"email": "a@example.com", "template_key": greeting, "context": 1})
    assert fields(response) == {"context": "must_be_object"}


def test_a_foreign_client_is_refused_with_all_else(http: httpx.Client) -> None:
    response = http.put(CAMPAIGN, json={**COURSES, "client": "dtc-newsletter", "subject": "a\rb"})
    assert response.status_code == 403
    assert fields(response) == {"client": "forbidden", "subject": "invalid", "body": "required"}
