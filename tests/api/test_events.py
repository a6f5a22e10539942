"""The client's own events, as pages (contract, Events for analytics)."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

import httpx
import psycopg
import pytest

from api.demo import KEYS
from domain.store import history
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, Served, fields

CLOUD_EVENT = {"specversion", "id", "source", "type", "subject", "time", "datacontenttype", "data"}


def page(http: httpx.Client, after: int, **query: Any) -> dict[str, Any]:
    response = http.get("/api/events", params={"after": after, **query})
    assert response.status_code == 200, response.text
    assert int(response.headers["Datamailer-Position"]) == response.json()["next"]
    found: dict[str, Any] = response.json()
    return found


def pages(http: httpx.Client, after: int, **query: Any) -> Iterator[dict[str, Any]]:
    """Pages up to the end of the log."""
    more = True
    while more:
        found = page(http, after, **query)
        yield found
        assert found["next"] > after or not found["more"]
        after, more = found["next"], found["more"]


def everything(http: httpx.Client, after: int = 0, **query: Any) -> list[dict[str, Any]]:
    return list(itertools.chain.from_iterable(each["events"] for each in pages(http, after, **query)))


@pytest.fixture
def here(http: httpx.Client) -> int:
    """The end of the log."""
    end: int = page(http, 10**15)["next"]
    return end


def test_events_come_open_and_in_order(http: httpx.Client, here: int, upsert: Upsert, email: str) -> None:
    number = upsert(tags=["Ml zoomcamp"], status="subscribed").json()["contact_id"]
    last = int(upsert(status="unsubscribed").headers["Datamailer-Position"])
    http.post("/api/subscriptions/unsubscribe", json={"email": email, **COURSES, "scope": "global", "reason": "enough"})
    found = everything(http, here)
    assert [(event["type"], event["version"]) for event in found] == [
        ("contact.registered", "1"),
        ("contact.subscribed", "1"),
        ("contact.tagged", "1"),
        ("contact.unsubscribed", "1"),
        ("contact.globally_unsubscribed", "1"),
    ]
    registered, _, tagged, unsubscribed, silenced = found
    assert registered["data"]["email"] == email
    assert tagged["data"]["tags"] == [{"slug": "ml-zoomcamp", "name": "Ml zoomcamp"}]
    assert tagged["audience"] == "dtc-courses"
    assert silenced["data"]["reason"] == "enough"
    assert unsubscribed["position"] == last
    for event in found:
        assert event.keys() >= CLOUD_EVENT
        assert (event["specversion"], event["source"], event["contact"]) == ("1.0", "/datamailer", number)
        assert event["id"] == str(event["position"])
        assert all(name.islower() and name.isalnum() for name in event)
        assert event["time"] == event["data"]["at"]
    positions = [event["position"] for event in found]
    assert positions == sorted(set(positions))
    assert positions[0] > here


def test_pages_join_without_gaps_or_repeats(http: httpx.Client, here: int, upsert: Upsert) -> None:
    for n in range(7):
        upsert(tags=[f"t{n}"])
    whole = everything(http, here)
    assert len(whole) == 9
    for limit in (1, 2, 3, 9, 500):
        assert everything(http, here, limit=limit) == whole
    for event in whole:
        assert everything(http, event["position"]) == [e for e in whole if e["position"] > event["position"]]


def test_a_long_stretch_without_events_is_gone_through(
    http: httpx.Client, here: int, upsert: Upsert, labs: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "STEP", 2)
    monkeypatch.setattr(history, "MOST_STEPS", 3)
    for n in range(10):
        labs.post("/api/contacts", json={"email": f"stretch-{here}-{n}@example.com", **LABS})
    upsert()
    whole = list(pages(http, here))
    assert [len(each["events"]) for each in whole] == [0, 0, 0, 2]
    assert [each["next"] - here for each in whole] == [6, 12, 18, 22]


def test_types_choose(http: httpx.Client, here: int, upsert: Upsert) -> None:
    upsert(tags=["a"])
    number = upsert(status="subscribed").json()["contact_id"]
    http.put(f"/api/contacts/{number}/tags", json={**COURSES, "tags": []})
    wanted = everything(http, here, types="contact.untagged, contact.tagged")
    assert [event["type"] for event in wanted] == ["contact.tagged", "contact.untagged"]
    assert wanted[-1]["data"]["slugs"] == ["a"]
    one = page(http, here, types="contact.subscribed", limit=1)
    assert [event["type"] for event in one["events"]] == ["contact.subscribed"]


def test_an_event_stored_by_an_older_version_comes_as_the_latest(
    http: httpx.Client, here: int, upsert: Upsert, demo_database: str
) -> None:
    number = upsert(tags=["a"]).json()["contact_id"]
    http.put(f"/api/contacts/{number}/tags", json={**COURSES, "tags": []})
    [stored] = everything(http, here, types="contact.untagged")
    data = {"audience_id": stored["data"]["audience_id"], "tags": ["a"], "at": stored["data"]["at"]}
    with psycopg.connect(demo_database) as connection:
        connection.execute(
            "UPDATE log SET topic = 'contact.untagged@1', state = %s WHERE notification_id = %s",
            (json.dumps(data).encode(), stored["position"]),
        )
    assert everything(http, here, types="contact.untagged") == [stored]
    assert stored["version"] == "2"
    assert upsert().json()["tags"] == []


def test_a_client_sees_its_own_events_alone(
    http: httpx.Client, labs: httpx.Client, served: Served, here: int, upsert: Upsert, email: str
) -> None:
    upsert(tags=["ours"])
    labs.post("/api/contacts", json={"email": email, **LABS, "tags": ["theirs"]})
    with served.client(KEYS["dtc-newsletter"]) as newsletter:
        assert page(newsletter, here)["events"] == []
    ours, theirs = everything(http, here), everything(labs, here)
    assert {event["position"] for event in ours}.isdisjoint(event["position"] for event in theirs)
    assert [event["type"] for event in theirs] == ["contact.awaiting_confirmation", "contact.tagged"]
    assert "theirs" not in json.dumps(ours)


def test_no_key_stands_in_the_feed(http: httpx.Client, operator: httpx.Client, here: int) -> None:
    body = {"name": "for the feed", "organization": "datatalksclub"}
    key = operator.post("/admin/api/clients/dtc-courses/keys", json=body).json()
    assert key["key"].startswith("dm_")
    assert everything(http, here) == []


def test_erased_words_are_null(http: httpx.Client, here: int, upsert: Upsert, email: str) -> None:
    upsert(status="unsubscribed")
    http.post("/api/subscriptions/unsubscribe", json={"email": email, **COURSES, "scope": "client", "reason": "why"})
    before = everything(http, here)
    assert (before[0]["data"]["email"], before[-1]["data"]["reason"]) == (email, "why")
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    after = everything(http, here)
    assert [event["type"] for event in after] == [*(event["type"] for event in before), "contact.erased"]
    assert (after[0]["data"]["email"], after[-2]["data"]["reason"]) == (None, None)


def test_an_erased_address_is_null_though_another_organization_has_it(
    http: httpx.Client, labs: httpx.Client, here: int, upsert: Upsert, email: str
) -> None:
    upsert()
    labs.post("/api/contacts", json={"email": email, **LABS, "status": "subscribed"})
    assert email in json.dumps(everything(http, here))
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    assert email not in json.dumps(everything(http, here))
    assert everything(http, here)[0]["data"]["email"] is None


def test_past_the_end_is_the_end(http: httpx.Client, here: int) -> None:
    assert page(http, 10**15) == {"events": [], "next": here, "more": False}
    assert page(http, here) == {"events": [], "next": here, "more": False}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"after": "-1"}, {"after": "invalid"}),
        ({"after": "x"}, {"after": "must_be_integer"}),
        ({"after": "9" * 30}, {"after": "must_be_integer"}),
        ({"limit": "0"}, {"limit": "must_be_between_1_and_500"}),
        ({"limit": "501"}, {"limit": "must_be_between_1_and_500"}),
        ({"types": "contact.tagged,contact.exploded"}, {"types": "invalid"}),
        ({"types": ","}, {"types": "invalid"}),
        ({"after": "x", "limit": "y"}, {"after": "must_be_integer", "limit": "must_be_integer"}),
    ],
)
def test_queries_that_are_refused(http: httpx.Client, query: dict[str, str], expected: dict[str, str]) -> None:
    response = http.get("/api/events", params=query)
    assert (response.status_code, fields(response)) == (400, expected)


def test_a_key_is_needed(anybody: httpx.Client) -> None:
    assert anybody.get("/api/events").status_code == 401
