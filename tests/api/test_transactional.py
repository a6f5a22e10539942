"""Sending one message to one person (contract, Senders, templates, transactional mail)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, Served, fields

SEND = "/api/transactional/send"
COURSES_ADDRESS = "DataTalks.Club courses <courses@datatalksclub.example>"


@pytest.fixture(scope="module", autouse=True)
def templates(http: httpx.Client) -> None:
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
