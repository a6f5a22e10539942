"""Sending one message to one person (contract, Senders, templates, transactional mail)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, Served
from tests.api.transactional import SEND, have_templates, plain, welcome

COURSES_ADDRESS = "DataTalks.Club courses <courses@datatalksclub.example>"


@pytest.fixture(scope="module", autouse=True)
def templates(http: httpx.Client) -> None:
    have_templates(http)


def shown(http: httpx.Client, number: int) -> dict[str, Any]:
    response = http.get(f"/api/transactional/messages/{number}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def test_a_message_is_accepted(http: httpx.Client, email: str) -> None:
    wishes = {
        "reply_to": "Help <help@example.com>",
        "cc": ["c@example.com"],
        "bcc": ["b@example.com"],
        "headers": {"X-Course": "ML"},
        "message_parts": [{"content_type": "text/calendar; method=REQUEST", "content": "BEGIN:VCALENDAR"}],
        "metadata": {"order": 7},
    }
    response = welcome(http, f" {email.upper()} ", idempotency_key=f"key-{email}", **wishes)
    assert response.status_code == 202
    message = response.json()["message"]
    assert response.json() == {
        "message": {
            "id": message["id"],
            "email": email,
            "from_email": "courses",
            "from_email_address": COURSES_ADDRESS,
            "reply_to": "Help <help@example.com>",
            "cc": ["c@example.com"],
            "bcc": ["b@example.com"],
            "status": "queued",
            "skip_reason": None,
            "template_key": "welcome",
            "idempotency_key": f"key-{email}",
            "created_at": message["created_at"],
        },
        "idempotent_replay": False,
        "enqueued": True,
    }
    found = http.get(f"/api/transactional/messages/{message['id']}")
    assert int(found.headers["Datamailer-Position"]) >= int(response.headers["Datamailer-Position"])
    assert {name: found.json()["message"][name] for name in message} == message
    heard = {name: value for name, value in found.json()["message"].items() if name not in message}
    assert heard == {
        "subject": "Welcome, <Ada>",
        "category_tag": "",
        "metadata": {"order": 7},
        "campaign_id": None,
        "ses_message_id": "",
        **dict.fromkeys(("sent_at", "delivered_at", "first_opened_at", "first_clicked_at")),
        "open_count": 0,
        "click_count": 0,
        "last_error": "",
    }
    [requested] = found.json()["events"]
    assert (requested["id"], requested["type"]) == (int(response.headers["Datamailer-Position"]), "message.requested")
    assert not {"content", "request", "context"} & set(requested["data"])


def test_a_person_who_was_unknown_becomes_a_contact_without_a_subscription(http: httpx.Client, email: str) -> None:
    assert plain(http, email).status_code == 202
    assert http.get("/api/contacts/status", params={"email": email, **COURSES}).json()["exists"] is False
    assert http.post("/api/contacts/erase", json={"email": email, **COURSES}).json()["erased"] is True


def test_an_erased_person_s_message_says_nothing(http: httpx.Client, email: str) -> None:
    number = welcome(http, email, idempotency_key=f"key-{email}", cc=["c@example.com"]).json()["message"]["id"]
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    message = shown(http, number)["message"]
    assert (message["email"], message["subject"], message["cc"], message["idempotency_key"]) == (None, "", [], "")


def test_whom_one_organization_erased_it_does_not_see_though_another_still_does(
    http: httpx.Client, labs: httpx.Client, email: str
) -> None:
    number = welcome(http, email, idempotency_key=f"key-{email}").json()["message"]["id"]
    assert labs.post("/api/contacts", json={"email": email, **LABS}).status_code == 200
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    assert shown(http, number)["message"]["email"] is None
    assert labs.get("/api/contacts/status", params={"email": email, **LABS}).json()["exists"] is True


def test_sixteen_at_once_are_one_message(served: Served, email: str) -> None:
    def once(_: int) -> httpx.Response:
        with served.client() as client:
            return welcome(client, email, idempotency_key=f"once-{email}")

    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(once, range(16)))
    assert {answer.status_code for answer in answers} == {202}
    bodies = [answer.json() for answer in answers]
    assert len({body["message"]["id"] for body in bodies}) == 1
    assert (
        sorted((body["idempotent_replay"], body["enqueued"]) for body in bodies)
        == [(False, True)] + [(True, False)] * 15
    )
    assert len({str(body["message"]) for body in bodies}) == 1
    with served.client() as client:
        assert len(shown(client, bodies[0]["message"]["id"])["events"]) == 1


def test_a_repeat_answers_the_first_message_whatever_it_says(http: httpx.Client, email: str) -> None:
    first = welcome(http, email, idempotency_key=f"again-{email}", cc=["c@example.com"]).json()
    other = plain(http, f"other-{email}", idempotency_key=f"again-{email}", context={"zero": 0})
    assert (other.status_code, other.json()["message"]) == (202, first["message"])
    assert (other.json()["idempotent_replay"], other.json()["enqueued"]) == (True, False)


def test_keys_are_the_client_s_own_and_without_one_each_request_is_new(
    http: httpx.Client, labs: httpx.Client, email: str
) -> None:
    labs.put("/api/transactional/templates/plain", json={"name": "P", "subject": "P", "text_body": "P"})
    mine = plain(http, email, idempotency_key="shared").json()["message"]
    theirs = plain(labs, email, idempotency_key="shared").json()["message"]
    assert mine["id"] != theirs["id"]
    assert theirs["from_email"] == "hello"
    assert labs.get(f"/api/transactional/messages/{mine['id']}").json()["error"]["fields"] == {"id": "not_found"}
    assert plain(http, email).json()["message"]["id"] != plain(http, email).json()["message"]["id"]


def test_an_idempotency_key_in_the_header_makes_one_message_too(http: httpx.Client, email: str) -> None:
    body, headers = {"email": email, "template_key": "plain"}, {"Idempotency-Key": f"header-{email}"}
    first = http.post(SEND, json=body, headers=headers)
    again = http.post(SEND, json=body, headers=headers)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (again.status_code, again.json()) == (202, first.json())
    assert http.post(SEND, json=body | {"email": "b@example.com"}, headers=headers).status_code == 422


@pytest.mark.parametrize(("flag", "reason"), [("hard_bounced", "hard_bounce"), ("complained", "complaint")])
def test_a_suppressed_contact_gets_nothing(
    http: httpx.Client, upsert: Upsert, email: str, flag: str, reason: str
) -> None:
    upsert(suppression={flag: True})
    response = plain(http, email, idempotency_key=f"key-{email}")
    assert response.status_code == 409
    body = response.json()
    assert (body["message"]["status"], body["message"]["skip_reason"], body["enqueued"]) == ("skipped", reason, False)
    assert (body["error"]["code"], body["error"]["reason"]) == ("transactional_suppressed", reason)
    again = plain(http, email, idempotency_key=f"key-{email}")
    assert (again.status_code, again.json()["message"], again.json()["idempotent_replay"]) == (
        409,
        body["message"],
        True,
    )
    events = [event["type"] for event in shown(http, body["message"]["id"])["events"]]
    assert events == ["message.requested", "message.skipped"]


def test_an_unsubscribed_contact_gets_what_it_asked_for(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert(status="unsubscribed", suppression={"global_unsubscribed": True})
    assert plain(http, email).status_code == 202


def test_a_disabled_category_is_not_sent(http: httpx.Client, upsert: Upsert, email: str) -> None:
    upsert(status="subscribed")
    off = {"email": email, **COURSES, "categories": [{"tag": "Deadlines", "enabled": False}]}
    assert http.put("/api/contacts/preferences", json=off).status_code == 200
    response = plain(http, email, category_tag="deadlines", **COURSES)
    assert (response.status_code, response.json()["error"]["reason"]) == (409, "client_unsubscribe")
    assert plain(http, email, category_tag="news", **COURSES).status_code == 202
    assert plain(http, email).status_code == 202


def test_a_dry_run_renders_and_decides_and_stores_nothing(
    http: httpx.Client, upsert: Upsert, demo_database: str, email: str
) -> None:
    store = Store(demo_database, MASTER_KEY_TEXT)
    before = store.recorder.head()
    body = welcome(http, email, dry_run=True, idempotency_key=f"dry-{email}").json()
    assert store.recorder.head() == before
    assert body["message"]["id"] is None
    assert (body["message"]["status"], body["message"]["email"]) == ("queued", email)
    assert body["rendered"] == {
        "subject": "Welcome, <Ada>",
        "html_body": "<p>Hello &lt;Ada&gt;</p>",
        "text_body": "Hello <Ada>",
    }
    assert (body["would_deliver"], body["delivery_decision"], body["enqueued"]) == (True, "deliver", False)
    upsert(suppression={"hard_bounced": True})
    before = store.recorder.head()
    suppressed = welcome(http, email, dry_run=True).json()
    assert store.recorder.head() == before
    store.close()
    assert (suppressed["would_deliver"], suppressed["delivery_decision"]) == (False, "hard_bounce")
    assert suppressed["message"]["status"] == "skipped"
    assert welcome(http, f"new-{email}", idempotency_key=f"dry-{email}").json()["idempotent_replay"] is False
