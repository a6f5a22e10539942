"""The client's own events, followed live as server-sent events."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import Any

import httpx
import psycopg
import pytest

from api import event_stream, following
from api.demo import add_demo
from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, Served, fields, serving, settings_of
from tests.waiting import wait_until

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
STREAM = {"Accept": "text/event-stream"}

Event = dict[str, Any]


def messages(response: httpx.Response) -> Iterator[Event]:
    """The events of a stream, read as a browser reads them: a message ends with an empty line, comments are no part."""
    message: dict[str, str] = {}
    for line in response.iter_lines():
        if not line and "data" in message:
            event = json.loads(message["data"])
            assert message["id"] == event["id"]
            yield event
        if not line:
            message = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            message[name] = value


@contextlib.contextmanager
def following_from(http: httpx.Client, after: int, **query: Any) -> Iterator[Iterator[Event]]:
    with http.stream("GET", "/api/events", params={"after": after, **query}, headers=STREAM) as response:
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.headers["Cache-Control"] == "no-store"
        yield messages(response)


@pytest.fixture
def here(http: httpx.Client) -> int:
    """The end of the log."""
    end: int = http.get("/api/events", params={"after": 10**15}).json()["next"]
    return end


def test_what_was_and_what_comes(http: httpx.Client, here: int, upsert: Upsert, labs: httpx.Client) -> None:
    upsert(tags=["before"])
    with following_from(http, here) as events:
        assert [event["type"] for event in islice(events, 3)] == [
            "contact.registered",
            "contact.awaiting_confirmation",
            "contact.tagged",
        ]
        labs.post("/api/contacts", json={"email": f"somebody-{here}@example.com", **LABS})
        for n in range(3):
            upsert(tags=[f"live {n}"])
            assert next(events)["data"]["tags"][0]["name"] == f"live {n}"


def test_types_choose(http: httpx.Client, here: int, upsert: Upsert) -> None:
    with following_from(http, here, types="contact.unsubscribed") as events:
        upsert(tags=["a"])
        upsert(status="unsubscribed")
        assert next(events)["type"] == "contact.unsubscribed"


def test_a_reader_that_comes_back_misses_nothing_and_gets_nothing_twice(
    http: httpx.Client, here: int, upsert: Upsert, served: Served
) -> None:
    writes = 60
    seen: list[int] = []
    with ThreadPoolExecutor(1) as writer, served.client() as other:
        upsert()
        number = upsert().json()["contact_id"]

        def write() -> None:
            for n in range(writes):
                other.post(f"/api/contacts/{number}/tags/t{n}", json=COURSES).raise_for_status()

        writing = writer.submit(write)
        while len(seen) < writes + 2:
            headers = {**STREAM, **({"Last-Event-ID": str(seen[-1])} if seen else {})}
            with http.stream("GET", "/api/events", params={"after": here}, headers=headers) as response:
                seen += [event["position"] for event in islice(messages(response), min(7, writes + 2 - len(seen)))]
        writing.result()
    whole = http.get("/api/events", params={"after": here, "limit": 500}).json()["events"]
    assert seen == [event["position"] for event in whole]


def test_a_long_past_comes_piece_by_piece(
    http: httpx.Client, here: int, upsert: Upsert, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "AT_A_TIME", 3)
    upsert(tags=["a"])
    for n in range(8):
        upsert(tags=[f"t{n}"])
    with following_from(http, here) as events:
        positions = [event["position"] for event in islice(events, 11)]
    assert positions == sorted(set(positions))


def test_silence_is_broken_by_comments(http: httpx.Client, here: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(event_stream, "LOOK_SECONDS", 0.01)
    with http.stream("GET", "/api/events", params={"after": here}, headers=STREAM) as response:
        lines = [line for line in islice(response.iter_lines(), 8) if line]
    assert lines == [": events follow", ":", ":", ":"]


def test_a_revoked_key_ends_the_stream(operator: httpx.Client, served: Served, here: int) -> None:
    path, body = "/admin/api/clients/dtc-courses/keys", {"name": f"stream {here}", "organization": "datatalksclub"}
    made = operator.post(path, json=body).json()
    with served.client(made["key"]) as own, following_from(own, here) as events:
        revoked = operator.post(f"{path}/{made['public_id']}/revoke", json={"organization": "datatalksclub"})
        assert revoked.status_code == 200
        assert list(events) == []


def test_a_client_has_a_few_streams(demo_database: str) -> None:
    def opens() -> bool:
        with http.stream("GET", "/api/events", headers=STREAM) as response:
            return response.status_code == 200

    with serving(settings_of(demo_database)) as running, running.client() as http:
        with contextlib.ExitStack() as stack:
            for _ in range(following.MOST_STREAMS):
                stack.enter_context(following_from(http, 10**15))
            refused = http.get("/api/events", headers=STREAM)
            assert refused.status_code == 429
            assert refused.json()["error"]["code"] == "rate_limited"
            assert refused.headers["Retry-After"]
        wait_until(opens, "a place to be free again")


def test_the_server_stops_though_somebody_follows(demo_database: str) -> None:
    with contextlib.ExitStack() as stack:
        running = stack.enter_context(serving(settings_of(demo_database)))
        with running.client() as http, following_from(http, 10**15) as events:
            stack.close()
            assert list(events) == []


def test_the_stream_outlives_its_connections_to_the_database(database: str) -> None:
    store = Store(database, MASTER_KEY_TEXT)
    add_demo(store)
    store.close()
    with serving(settings_of(database)) as running, running.client() as http, following_from(http, 0) as events:

        def tagged(name: str) -> int:
            person = {"email": "somebody@example.com", **COURSES, "tags": [name]}
            return http.post("/api/contacts", json=person).status_code

        assert next(events)["type"] == "contact.registered"
        with psycopg.connect(database) as connection:
            connection.execute(CUT)
        wait_until(lambda: tagged("after") == 200, "the store to be back")
        while "after" not in str(next(events)["data"].get("tags")):
            pass


@pytest.mark.parametrize("bad", ["x", "-1"])
def test_a_last_event_id_that_is_none(http: httpx.Client, bad: str) -> None:
    response = http.get("/api/events", headers={**STREAM, "Last-Event-ID": bad})
    assert (response.status_code, fields(response)) == (400, {"Last-Event-ID": "invalid"})


def test_a_head_request_has_an_end(http: httpx.Client) -> None:
    assert http.head("/api/events", headers=STREAM).status_code == 200
