"""Webhooks as a client manages them. What they deliver is in tests/webhooks."""

from __future__ import annotations

import base64
import itertools
from typing import Any

import httpx
import psycopg
import pytest

from api import webhooks
from tests.api.serving import fields, serving, settings_of

PATH = "/api/client/webhooks"
URL = "https://example.com/hooks?tenant=1"
numbers = itertools.count(1)


@pytest.fixture
def key() -> str:
    """A key that nobody has used."""
    return f"hook-{next(numbers)}"


def saved(http: httpx.Client, key: str, **said: Any) -> dict[str, Any]:
    response = http.put(f"{PATH}/{key}", json={"url": URL, **said})
    assert response.status_code in {200, 201}, response.text
    found: dict[str, Any] = response.json()
    assert (response.status_code == 201) is found["created"]
    return found


def listed(http: httpx.Client, position: str, **query: str) -> dict[str, Any]:
    response = http.get(PATH, params={"min_position": position, **query})
    assert response.status_code == 200, response.text
    assert int(response.headers["Datamailer-Position"]) >= int(position)
    assert response.json()["count"] == len(response.json()["webhooks"])
    return {each["key"]: each for each in response.json()["webhooks"]}


@pytest.mark.usefixtures("projected")
def test_a_webhook_is_made_shown_changed_and_deleted(http: httpx.Client, key: str) -> None:
    made = saved(http, key, types=["contact.tagged", "contact.resubscribed"], description="ours")
    shown = http.get(f"{PATH}/{key}")
    nothing = {"waiting": 0, "given_up": 0, "last_error": None}
    assert shown.json() == {"webhook": made["webhook"], "deliveries": nothing}
    assert listed(http, shown.headers["Datamailer-Position"])[key] == made["webhook"]
    assert made["webhook"] | {"id": 0, "created_at": "", "updated_at": ""} == {
        "id": 0,
        "key": key,
        "url": URL,
        "types": ["contact.resubscribed", "contact.tagged"],
        "description": "ours",
        "is_active": True,
        "switched_off": None,
        "created_at": "",
        "updated_at": "",
    }
    changed = saved(http, key, types=[], is_active=False)
    assert (changed["webhook"]["types"], changed["webhook"]["description"]) == ([], "ours")
    assert (changed["webhook"]["is_active"], changed["webhook"]["switched_off"]) == (False, "client")
    position = http.get(f"{PATH}/{key}").headers["Datamailer-Position"]
    assert key in listed(http, position, is_active="false")
    assert key not in listed(http, position, is_active="true")
    gone = http.delete(f"{PATH}/{key}")
    assert gone.json() == {"key": key, "deleted": True}
    assert key not in listed(http, gone.headers["Datamailer-Position"])
    for missing in (http.get(f"{PATH}/{key}"), http.delete(f"{PATH}/{key}")):
        assert (missing.status_code, fields(missing)) == (404, {"key": "not_found"})


def test_the_secret_is_shown_when_it_is_made_and_never_again(http: httpx.Client, key: str) -> None:
    first = saved(http, key)["secret"]
    assert len(base64.b64decode(first.removeprefix("whsec_"), validate=True)) == 32
    assert "secret" not in saved(http, key)
    assert "secret" not in http.get(f"{PATH}/{key}").json()["webhook"]
    again = {"Idempotency-Key": f"rotate {key}"}
    rotated = http.post(f"{PATH}/{key}/rotate-secret", headers=again).json()
    assert rotated["secret"] not in {first, ""}
    assert rotated["previous_until"] > rotated["webhook"]["updated_at"]
    repeated = http.post(f"{PATH}/{key}/rotate-secret", headers=again).json()
    assert repeated == {name: value for name, value in rotated.items() if name != "secret"}
    http.delete(f"{PATH}/{key}")
    assert saved(http, key)["secret"] not in {first, rotated["secret"]}


def test_a_ping_is_an_event_of_the_webhook(http: httpx.Client, key: str) -> None:
    saved(http, key)
    pinged = http.post(f"{PATH}/{key}/test")
    assert (pinged.status_code, pinged.json()["event_id"]) == (202, pinged.headers["Datamailer-Position"])
    position = int(pinged.json()["event_id"])
    [event] = http.get("/api/events", params={"after": position - 1, "types": "webhook.pinged"}).json()["events"]
    assert event["id"] == str(position)
    saved(http, key, is_active=False)
    refused = http.post(f"{PATH}/{key}/test")
    assert (refused.status_code, fields(refused)) == (409, {"key": "switched_off"})


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ({}, {"url": "required"}),
        ({"url": " "}, {"url": "required"}),
        ({"url": 1}, {"url": "must_be_string"}),
        ({"url": "ftp://example.com/"}, {"url": "unsupported"}),
        ({"url": "https://169.254.169.254/"}, {"url": "unsupported"}),
        ({"url": "https://a:b@example.com/"}, {"url": "unsupported"}),
        ({"url": "https://example.com/#x"}, {"url": "invalid"}),
        ({"url": "https://example.com/" + "x" * 2048}, {"url": "too_long"}),
        ({"url": URL, "types": "contact.tagged"}, {"types": "must_be_list"}),
        ({"url": URL, "types": ["contact.tagged", "contact.teleported"]}, {"types.1": "invalid"}),
        ({"url": URL, "types": ["contact.tagged"] * 101}, {"types": "too_many"}),
        ({"url": URL, "is_active": "maybe", "description": 3},
         {"is_active": "must_be_boolean", "description": "must_be_string"}),
        ({"url": URL, "description": "a\u0000"}, {"description": "invalid"}),
    ],
)  # fmt: skip
def test_what_is_refused(http: httpx.Client, key: str, body: dict[str, Any], wrong: dict[str, str]) -> None:
    response = http.put(f"{PATH}/{key}", json=body)
    assert (response.status_code, fields(response)) == (400, wrong)


def test_private_hosts_are_refused_where_they_are_not_allowed(demo_database: str, key: str) -> None:
    with serving(settings_of(demo_database, private_hosts=False)) as strict, strict.client() as http:
        for url in ("http://example.com/", "https://127.0.0.1:9/"):
            response = http.put(f"{PATH}/{key}", json={"url": url})
            assert (response.status_code, fields(response)) == (400, {"url": "unsupported"})


def test_a_key_is_a_slug(http: httpx.Client) -> None:
    for key, code in (("a%20b", "invalid"), ("x" * 121, "too_long")):
        response = http.put(f"{PATH}/{key}", json={"url": URL})
        assert (response.status_code, fields(response)) == (400, {"key": code})


@pytest.mark.usefixtures("projected")
def test_a_client_has_so_many_at_most(http: httpx.Client, monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    saved(http, key)
    there = len(listed(http, http.get(f"{PATH}/{key}").headers["Datamailer-Position"]))
    monkeypatch.setattr(webhooks, "MOST", there)
    refused = http.put(f"{PATH}/{key}-more", json={"url": URL})
    assert (refused.status_code, fields(refused)) == (400, {"key": "too_many"})
    assert saved(http, key, description="still mine")["created"] is False


@pytest.mark.usefixtures("projected")
def test_clients_have_webhooks_of_their_own(http: httpx.Client, labs: httpx.Client, key: str) -> None:
    secret = saved(http, key)["secret"]
    assert labs.get(f"{PATH}/{key}").status_code == 404
    assert labs.post(f"{PATH}/{key}/rotate-secret").status_code == 404
    theirs = saved(labs, key)
    assert theirs["secret"] != secret
    position = labs.get(f"{PATH}/{key}").headers["Datamailer-Position"]
    assert listed(labs, position)[key]["id"] != listed(http, position)[key]["id"]
    assert httpx.get(str(http.base_url) + PATH).status_code == 401


@pytest.mark.usefixtures("projected")
def test_what_did_not_arrive_is_counted(http: httpx.Client, key: str, demo_database: str) -> None:
    number = saved(http, key)["webhook"]["id"]
    assert key in listed(http, http.get(f"{PATH}/{key}").headers["Datamailer-Position"])
    with psycopg.connect(demo_database, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO webhook_deliveries (webhook_id, position, error, dead_at) "
            "VALUES (%(n)s, 1000001, NULL, NULL), (%(n)s, 1000002, 'timed out', now()), (%(n)s, 0, 'old', NULL)",
            {"n": number},
        )
        shown = http.get(f"{PATH}/{key}").json()["deliveries"]
        connection.execute("DELETE FROM webhook_deliveries WHERE webhook_id = %s", (number,))
    assert shown == {"waiting": 1, "given_up": 1, "last_error": "timed out"}


def test_what_is_sent_is_documented(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    sent = document["webhooks"]["event"]["post"]
    assert [each["name"] for each in sent["parameters"]] == ["webhook-id", "webhook-timestamp", "webhook-signature"]
    name = sent["requestBody"]["content"]["application/json"]["schema"]["$ref"].rpartition("/")[2]
    assert {"specversion", "id", "type", "data"} <= set(document["components"]["schemas"][name]["properties"])


def test_no_secret_stands_in_the_feed(http: httpx.Client, key: str) -> None:
    made = saved(http, key)
    rotated = http.post(f"{PATH}/{key}/rotate-secret").json()
    events = http.get("/api/events", params={"types": "webhook.created,webhook.secret_rotated", "limit": 500}).text
    assert URL in events
    assert not any(each["secret"].removeprefix("whsec_") in events for each in (made, rotated))
