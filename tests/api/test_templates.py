"""Templates of transactional mail (contract, Senders, templates, transactional mail)."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from tests.api.serving import fields

numbers = count(1)
TEMPLATE = {
    "name": "Welcome",
    "subject": "Welcome, {{ name }}",
    "description": "Sent to new learners",
    "html_body": "<p>Hello {{ name }}</p>",
    "text_body": "Hello {{ name }}",
    "required_context": [{"name": "name", "description": "first name"}, "course.title"],
    "example_context": {"name": "Ada", "course": {"title": "ML Zoomcamp"}},
    "default_sender_id": "courses",
}


@pytest.fixture
def path() -> str:
    return f"/api/transactional/templates/template-{next(numbers)}"


def test_a_template_is_created_then_revised(http: httpx.Client, path: str) -> None:
    put = http.put(path, json=TEMPLATE)
    assert (put.status_code, put.json()["created"]) == (200, True)
    shown = put.json()["template"]
    assert shown["created_at"].endswith("Z")
    assert shown == TEMPLATE | {
        "key": path.rpartition("/")[2],
        "required_context": [
            {"name": "name", "description": "first name"},
            {"name": "course.title", "description": ""},
        ],
        "is_active": True,
        "retry_unconfirmed": False,
        "version": 1,
        "created_at": shown["created_at"],
        "updated_at": shown["created_at"],
    }
    again = http.put(path, json=TEMPLATE)
    assert (again.json()["created"], again.json()["template"]) == (False, shown)
    revised = http.put(path, json=TEMPLATE | {"subject": "Hi"}).json()
    assert (revised["created"], revised["template"]["version"]) == (False, 2)
    assert http.get(path).json() == revised["template"]


def test_what_is_not_said_is_empty(http: httpx.Client, path: str) -> None:
    shown = http.put(path, json={"name": "Plain", "subject": "Plain", "text_body": "Plain"}).json()["template"]
    assert (shown["html_body"], shown["required_context"], shown["example_context"]) == ("", [], {})
    assert (shown["default_sender_id"], shown["is_active"]) == ("", True)


def test_a_template_is_its_client_s_own(http: httpx.Client, labs: httpx.Client, path: str) -> None:
    http.put(path, json=TEMPLATE)
    for response in (labs.get(path), http.get("/api/transactional/templates/never")):
        assert (response.status_code, fields(response)) == (404, {"key": "not_found"})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"name": None}, {"name": "required"}),
        ({"name": " "}, {"name": "required"}),
        ({"name": "x" * 256}, {"name": "too_long"}),
        ({"subject": ""}, {"subject": "required"}),
        ({"subject": "Hello\r\nBcc: everybody@example.com"}, {"subject": "invalid"}),
        ({"subject": "x" * 256}, {"subject": "too_long"}),
        ({"subject": "{{ name"}, {"subject": "invalid"}),
        ({"html_body": "", "text_body": " "}, {"body": "required"}),
        ({"html_body": "{% if name %}"}, {"html_body": "invalid"}),
        ({"html_body": "{% include 'other' %}"}, {"html_body": "unsupported"}),
        ({"text_body": "{% import 'other' as other %}"}, {"text_body": "unsupported"}),
        ({"html_body": "{% extends 'other' %}"}, {"html_body": "unsupported"}),
        ({"text_body": "{{ name.__class__.__mro__ }}"}, {"text_body": "unsupported"}),
        (
            {"html_body": "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}"},
            {"html_body": "too_large"},
        ),
        ({"text_body": "{{ 'x' * 999999999 }}"}, {"text_body": "too_large"}),
        ({"text_body": "x" * 1_048_577}, {"text_body": "too_large"}),
        ({"html_body": 1, "text_body": []}, {"html_body": "must_be_string", "text_body": "must_be_string"}),
        ({"description": "x" * 10_001}, {"description": "too_long"}),
        ({"required_context": "name"}, {"required_context": "must_be_list"}),
        ({"required_context": [1]}, {"required_context.0": "must_be_object"}),
        ({"required_context": [{}]}, {"required_context.0.name": "required"}),
        (
            {"required_context": ["", "a..b"]},
            {"required_context.0.name": "required", "required_context.1.name": "invalid"},
        ),
        ({"required_context": ["a"] * 101}, {"required_context": "too_many"}),
        ({"example_context": []}, {"example_context": "must_be_object"}),
        ({"example_context": {"name": "\x00"}}, {"example_context.name": "invalid"}),
        ({"default_sender_id": "nobody"}, {"default_sender_id": "not_found"}),
        ({"is_active": "yes"}, {"is_active": "must_be_boolean"}),
        (
            {"default_sender_id": "nobody", "subject": "{{", "name": ""},
            {"default_sender_id": "not_found", "subject": "invalid", "name": "required"},
        ),
        (
            {"default_sender_id": "nobody", "subject": "{{", "html_body": "{% include 'x' %}"},
            {"default_sender_id": "not_found", "subject": "invalid", "html_body": "unsupported"},
        ),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, path: str, said: dict[str, Any], expected: dict[str, str]
) -> None:
    response = http.put(path, json=TEMPLATE | said)
    assert (response.status_code, fields(response)) == (400, expected)
    assert http.get(path).status_code == 404


@pytest.mark.parametrize(("key", "code"), [("a%20b", "invalid"), ("%00", "invalid"), ("x" * 121, "too_long")])
def test_a_key_that_is_none(http: httpx.Client, key: str, code: str) -> None:
    response = http.put(f"/api/transactional/templates/{key}", json=TEMPLATE)
    assert (response.status_code, fields(response)) == (400, {"key": code})
