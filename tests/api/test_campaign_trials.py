"""Previews and test mails of a campaign (contract, Campaigns)."""

from __future__ import annotations

from itertools import count
from typing import Any

import httpx
import pytest

from domain.links import Signer
from domain.mailbox import mailbox
from domain.message import MessageRequested, transactional
from domain.message.content import content_of, mail_of
from domain.store.history import read_stream
from domain.store.log import Store
from domain.tracking import Site
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, MASTER_KEY_TEXT, fields

numbers = count(1)
LINK = '<a href="https://example.com/a?x=1&amp;y=2">a</a>'
DRAFT = {**COURSES, "subject": "Hello", "preview_text": "Soon", "html_body": f"<body>{LINK}</body>"}


@pytest.fixture
def path(http: httpx.Client) -> str:
    path = f"/api/campaigns/trial-{next(numbers)}"
    assert http.put(path, json=DRAFT).status_code == 201
    return path


def test_a_preview_shows_the_mail_as_it_will_look(http: httpx.Client, path: str) -> None:
    response = http.post(f"{path}/preview")
    assert response.status_code == 200
    shown = response.json()
    assert (shown["subject"], shown["preview_text"], shown["recipient"]) == ("Hello", "Soon", None)
    assert shown["from_email"] == "courses"
    assert LINK in shown["html_body"]
    assert shown["html_body"].index(">Soon&#847;") < shown["html_body"].index(LINK)
    assert "subscribed to DataTalks.Club courses." in shown["html_body"]
    assert "/unsubscribe/test" in shown["html_body"]
    assert "https://example.com/a?x=1&y=2" in shown["text_body"]
    assert shown["text_body"].endswith("/unsubscribe/test\n")
    assert "<img" not in shown["html_body"]
    assert http.post(f"{path}/preview", json={}).json() == shown


def test_a_preview_for_an_address_says_whether_it_would_get_the_mail(
    http: httpx.Client, path: str, upsert: Upsert, email: str
) -> None:
    def recipient() -> dict[str, Any]:
        found: dict[str, Any] = http.post(f"{path}/preview", json={"email": email}).json()["recipient"]
        return found

    assert recipient() == {"email": email, "contact_id": None, "intended": False, "skip_reason": None}
    number = upsert(status="subscribed").json()["contact_id"]
    assert recipient() == {"email": email, "contact_id": number, "intended": True, "skip_reason": "unverified"}
    upsert(verified=True)
    assert recipient() == {"email": email, "contact_id": number, "intended": True, "skip_reason": None}
    http.put(path, json=DRAFT | {"include_tags": ["other"]})
    assert recipient()["intended"] is False


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"x", {"body": "invalid_json"}),
        (b"[]", {"body": "must_be_object"}),
        (b'{"email": 1}', {"email": "must_be_string"}),
        (b'{"email": "a"}', {"email": "invalid"}),
    ],
)
def test_an_odd_preview(http: httpx.Client, path: str, body: bytes, expected: dict[str, str]) -> None:
    response = http.post(f"{path}/preview", content=body, headers={"Content-Type": "application/json"})
    assert (response.status_code, fields(response)) == (400, expected)


def test_a_test_mail_goes_to_each_address_once(http: httpx.Client, path: str, email: str) -> None:
    emails = [email, f"second-{email}", email.upper()]
    response = http.post(f"{path}/test-send", json={"emails": emails})
    assert response.status_code == 202
    messages = response.json()["messages"]
    assert [message["email"] for message in messages] == [email, f"second-{email}"]
    assert {message["status"] for message in messages} == {"queued"}
    found = http.get(f"/api/transactional/messages/{messages[0]['id']}").json()["message"]
    campaign = http.get(path).json()["campaign"]
    assert (found["campaign_id"], found["subject"]) == (campaign["id"], "Hello")
    assert (campaign["status"], campaign["recipient_count"]) == ("draft", 0)
    again = http.post(f"{path}/test-send", json={"emails": [email]}).json()["messages"]
    assert again[0]["id"] != messages[0]["id"]


def test_a_test_mail_is_the_campaign_s_with_a_way_out_that_is_none(
    http: httpx.Client, path: str, demo_database: str, email: str
) -> None:
    number = http.post(f"{path}/test-send", json={"emails": [email]}).json()["messages"][0]["id"]
    store = Store(demo_database, MASTER_KEY_TEXT)
    [(recorded, requested)] = read_stream(store, transactional.kind, number).events
    store.close()
    assert isinstance(requested, MessageRequested)
    content = content_of(requested.content)
    assert content is not None
    site = Site("http://127.0.0.1:8000", Signer(bytes(32)))
    mail = mail_of(content, sender=mailbox(requested.sender), to=mailbox(email), stream=recorded.stream, site=site)
    assert (mail.html.count("/t/c/"), mail.html.count("/t/o/"), mail.text.count("/t/c/")) == (1, 1, 1)
    assert (mail.html.count("/unsubscribe/test"), mail.text.count("/unsubscribe/test")) == (1, 1)
    assert [header.name for header in mail.headers] == ["List-Unsubscribe", "List-Unsubscribe-Post"]
    assert mail.as_bytes()


@pytest.mark.parametrize("in_header", [True, False])
def test_with_a_key_a_repeat_sends_nothing_more(http: httpx.Client, path: str, email: str, in_header: bool) -> None:  # noqa: FBT001
    body: dict[str, Any] = {"emails": [email]}
    headers = {"Idempotency-Key": f"test-{email}"} if in_header else {}
    body |= {} if in_header else {"idempotency_key": "one"}
    first, again = (http.post(f"{path}/test-send", json=body, headers=headers).json() for _ in range(2))
    assert again["messages"] == first["messages"]


def test_a_suppressed_address_gets_no_test(http: httpx.Client, path: str, upsert: Upsert, email: str) -> None:
    upsert(suppression={"hard_bounced": True})
    response = http.post(f"{path}/test-send", json={"emails": [email, f"fine-{email}"]})
    assert response.status_code == 202
    assert [(m["status"], m["skip_reason"]) for m in response.json()["messages"]] == [
        ("skipped", "hard_bounce"),
        ("queued", None),
    ]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"emails": "required"}),
        ({"emails": "a@example.com"}, {"emails": "must_be_list"}),
        ({"emails": []}, {"emails": "must_be_non_empty_list"}),
        ({"emails": ["a@example.com"] * 26}, {"emails": "too_many"}),
        ({"emails": ["a@example.com", "b", 1]}, {"emails.1": "invalid", "emails.2": "must_be_string"}),
        ({"emails": ["пример@example.com"]}, {"emails.0": "unsupported"}),
        ({"emails": ["a@example.com"], "idempotency_key": "x" * 201}, {"idempotency_key": "too_long"}),
    ],
)
def test_every_wrong_field_has_its_code(
    http: httpx.Client, path: str, said: dict[str, object], expected: dict[str, str]
) -> None:
    response = http.post(f"{path}/test-send", json=said)
    assert (response.status_code, fields(response)) == (400, expected)
