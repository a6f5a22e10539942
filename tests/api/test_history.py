"""``GET /api/contacts/{contact_id}/history`` (contract, Contacts)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NamedTuple

import httpx
import pytest

from domain import client, message, organization
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, fields

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
TEMPLATE = {"name": "Welcome", "subject": "Secret words", "text_body": "More secret words"}

pytestmark = pytest.mark.usefixtures("projected")


def history(http: httpx.Client, contact_id: int, **query: Any) -> dict[str, Any]:
    response = http.get(f"/api/contacts/{contact_id}/history", params={**COURSES, **query})
    assert response.status_code == 200, response.text
    assert int(response.headers["Datamailer-Position"]) >= int(query.get("min_position", 0))
    found: dict[str, Any] = response.json()
    return found


def plan(conninfo: str, campaign_id: int, contact_id: int) -> int:
    """Have a campaign mean the contact; gives the position."""
    store = Store(conninfo, MASTER_KEY_TEXT)
    [owner] = store.load(organization.decider, keys=["datatalksclub"])
    [app] = store.load(client.decider, keys=[f"{owner.number}/dtc-courses"])
    order = Order(
        decider=message.of_campaign,
        number=message.campaign_message_number(campaign_id, contact_id),
        command=message.PlanMessage(at=NOON, campaign_id=campaign_id, contact_id=contact_id, skip_reason="unverified"),
        context=Context(organization_id=owner.number, client_id=app.number, source="planner"),
        contact_id=contact_id,
    )
    [outcome] = store.handle(order)
    store.close()
    assert isinstance(outcome, Accepted), outcome
    return outcome.position


class Told(NamedTuple):
    """A history with a transactional message and a campaign that skipped the contact, at the position."""

    email: str
    campaign_id: int
    message: dict[str, Any]
    position: int
    found: dict[str, Any]


@pytest.fixture
def told(http: httpx.Client, upsert: Upsert, email: str, demo_database: str) -> Told:
    contact_id = upsert(tags=["ML"], status="subscribed").json()["contact_id"]
    assert http.put("/api/transactional/templates/history", json=TEMPLATE).status_code == 200
    asked = {"email": email, "template_key": "history", "context": {"name": "Ann"}, "idempotency_key": f"of-{email}"}
    sent = http.post("/api/transactional/send", json=asked).json()["message"]
    draft = {**COURSES, "subject": "History", "html_body": "x"}
    campaign_id = http.put("/api/campaigns/history", json=draft).json()["campaign"]["id"]
    position = plan(demo_database, campaign_id, contact_id)
    found = history(http, contact_id, min_position=position)
    assert found["contact_id"] == contact_id
    return Told(email, campaign_id, sent, position, found)


def test_it_tells_of_the_contact_and_its_mail_newest_first(told: Told) -> None:
    found = told.found
    assert {name: found[name] for name in COURSES} == COURSES
    assert (found["email"], found["next_cursor"]) == (told.email, None)
    assert [(event["type"], event["campaign_id"], event["message_id"]) for event in found["events"]] == [
        ("message.skipped", told.campaign_id, None),
        ("message.requested", None, told.message["id"]),
        ("contact.tagged", None, None),
        ("contact.subscribed", None, None),
        ("contact.registered", None, None),
    ]
    skipped, requested = found["events"][:2]
    assert skipped == {
        "id": told.position,
        "type": "message.skipped",
        "created_at": "2026-05-24T12:00:00Z",
        "source": "planner",
        "campaign_id": told.campaign_id,
        "message_id": None,
        "data": {"reason": "unverified"},
    }
    assert (requested["source"], requested["data"]) == ("api", {"template_key": "history"})


def test_it_has_the_mail_that_the_events_are_of(told: Told) -> None:
    nothing = dict.fromkeys(("sent_at", "delivered_at", "first_opened_at", "first_clicked_at"))
    heard = {**nothing, "open_count": 0, "click_count": 0, "last_error": ""}
    campaign = {"campaign_id": told.campaign_id, "campaign": "history", "subject": "History"}
    skipped = {"status": "skipped", "skip_reason": "unverified", "created_at": "2026-05-24T12:00:00Z"}
    assert told.found["campaign_recipients"] == [{**campaign, **skipped, **heard}]
    message = {"id": told.message["id"], "template_key": "history", "category_tag": ""}
    queued = {"status": "queued", "skip_reason": None, "created_at": told.message["created_at"]}
    assert told.found["transactional_messages"] == [{**message, **queued, **heard}]


def test_it_has_nobodys_words_and_no_keys(told: Told) -> None:
    for secret in ("secret words", "Ann", f"of-{told.email}"):
        assert secret not in str(told.found)


def test_pages_follow_one_another(http: httpx.Client, upsert: Upsert) -> None:
    position = [upsert(tags=[f"t{n}"]) for n in range(5)][-1].headers["Datamailer-Position"]
    contact_id = upsert().json()["contact_id"]
    everything = history(http, contact_id, min_position=position)["events"]
    pages: list[list[dict[str, Any]]] = []
    cursor: dict[str, str] = {}
    while True:
        page = history(http, contact_id, limit=3, **cursor)
        pages.append(page["events"])
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [event for page in pages for event in page] == everything


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"limit": 0}, {"limit": "must_be_between_1_and_100"}),
        ({"limit": 101, "cursor": "x"}, {"limit": "must_be_between_1_and_100", "cursor": "must_be_integer"}),
        ({"cursor": 0, "min_position": "x"}, {"cursor": "must_be_positive", "min_position": "must_be_integer"}),
        ({"audience": "nowhere", "client": ""}, {"audience": "not_found", "client": "required"}),
    ],
)
def test_bad_queries(http: httpx.Client, contact_id: int, query: dict[str, Any], expected: dict[str, str]) -> None:
    response = http.get(f"/api/contacts/{contact_id}/history", params={**COURSES, **query})
    assert (response.status_code, fields(response)) == (400, expected)


def test_a_contact_of_nobody_or_of_others_is_not_found(http: httpx.Client, labs: httpx.Client, contact_id: int) -> None:
    for someone, number, scope in ((labs, contact_id, LABS), (http, 2**50, COURSES), (http, "x", COURSES)):
        response = someone.get(f"/api/contacts/{number}/history", params=scope)
        assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"})


def test_after_an_erasure_there_is_none(http: httpx.Client, contact_id: int, email: str) -> None:
    assert http.post("/api/contacts/erase", json={"email": email, **COURSES}).status_code == 200
    response = http.get(f"/api/contacts/{contact_id}/history", params=COURSES)
    assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"})
