"""Templates to send, and requests to send them."""

from __future__ import annotations

from typing import Any

import httpx

SEND = "/api/transactional/send"


def have_templates(http: httpx.Client) -> None:
    """Two templates that can be sent, and one that is switched off."""
    welcome = {
        "name": "Welcome",
        "subject": "Welcome, {{ name }}",
        "html_body": "<p>Hello {{ name }}</p>",
        "required_context": ["name", "course.title"],
    }
    plain = {"name": "Plain", "subject": "{{ subject or 'Plain' }}", "text_body": "{{ 1 / (zero | default(1)) }}"}
    for key, template in {"welcome": welcome, "plain": plain, "off": plain | {"is_active": False}}.items():
        assert http.put(f"/api/transactional/templates/{key}", json=template).status_code == 200


def welcome(http: httpx.Client, email: str, **said: Any) -> httpx.Response:
    context = {"name": "<Ada>", "course": {"title": "ML"}}
    return http.post(SEND, json={"email": email, "template_key": "welcome", "context": context, **said})


def plain(http: httpx.Client, email: str, **said: Any) -> httpx.Response:
    return http.post(SEND, json={"email": email, "template_key": "plain", **said})
