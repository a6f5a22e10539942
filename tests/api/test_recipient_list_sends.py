"""Sends to lists too long for one request: accepted at once, carried out in the background, nobody written to twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from itertools import count
from threading import Event as Flag
from typing import Any

import httpx
import psycopg
import pytest

from consumers import list_sender
from consumers.list_sender import ListSender
from consumers.session import connect
from domain import list_send, message
from domain.store.log import Store
from domain.store.order import Failed, Order, Outcome, Unavailable
from tests.api.serving import COURSES, MASTER_KEY_TEXT, fields
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("projected")
numbers = count(1)
MEMBERS = 12
TEMPLATE = {"name": "Due", "subject": "{{ title }} is due", "text_body": "{{ score }}", "required_context": ["score"]}


@pytest.fixture
def store(demo_database: str) -> Iterator[Store]:
    with closing(Store(demo_database, MASTER_KEY_TEXT)) as store:
        yield store


@pytest.fixture
def path(http: httpx.Client, email: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A list of twelve, where ten are what a request takes: one without a score, one who may not be written to."""
    monkeypatch.setattr("api.recipient_lists_send.MEMBERS_LIMIT", 10)
    monkeypatch.setattr(list_sender, "CHUNK", 5)
    key = f"long{next(numbers)}"
    http.put(f"/api/recipient-lists/{key}:within", json={})
    http.put("/api/transactional/templates/due", json=TEMPLATE)
    http.post("/api/contacts", json={"email": f"1-{email}", **COURSES, "suppression": {"hard_bounced": True}})
    people: list[dict[str, Any]] = [
        {"source_object_key": f"user-{n}", "email": f"{n}-{email}", "metadata": {"score": n}} for n in range(MEMBERS)
    ]
    people[2]["metadata"] = {}
    for part, some in (("", people), (":within", people[3:4])):
        put = http.post(f"/api/recipient-lists/{key}{part}/members/bulk-upsert", json={"members": some})
        assert put.status_code == 200, put.text
    return f"/api/recipient-lists/{key}"


def request(key: str, **more: Any) -> dict[str, Any]:
    return {"template_key": "due", "idempotency_key": key, "context": {"title": "Homework"}, **more}


def look(store: Store) -> None:
    with connect(store.conninfo, "test sends") as connection:
        ListSender(store).look(connection, Flag())


def finished(http: httpx.Client, store: Store, location: str) -> bool:
    look(store)
    return bool(http.get(location).json()["send"]["finished_at"])


def test_a_long_list_is_sent_to_in_the_background(http: httpx.Client, store: Store, path: str, email: str) -> None:
    sent = http.post(f"{path}/transactional-send", json=request(email))
    body, location = sent.json(), sent.headers["Location"]
    assert (sent.status_code, location) == (202, f"{path}/sends/{body['send_id']}"), sent.text
    assert body["counts"] == {"total": MEMBERS, "enqueued": 0, "skipped": 0, "replayed": 0, "failed": 0}
    assert (body["messages"], body["errors"]) == ([], [])
    again = http.post(f"{path}/transactional-send", json=request(email, context={}))
    assert (again.status_code, again.json()) == (202, body)
    http.put("/api/transactional/templates/due", json=TEMPLATE | {"subject": "another"})
    late = http.put(f"{path}/members/late", json={"email": f"late-{email}", "metadata": {"score": 1}})
    assert late.status_code == 200
    wait_until(partial(finished, http, store, location), "the send to end")
    send = http.get(location).json()["send"]
    assert (send["status"], send["idempotency_key"], send["template_key"]) == ("finished", email, "due")
    assert send["counts"] == {"total": MEMBERS, "enqueued": MEMBERS - 2, "skipped": 1, "replayed": 0, "failed": 1}
    assert send["errors"] == [{"source_object_key": "user-2", "errors": {"context.score": "required"}}]
    [made] = store.load(
        message.transactional, keys=[message.key_of(client_of(store, body["send_id"]), f"{email}:user-5")]
    )
    told = http.get(f"/api/transactional/messages/{made.number}").json()["message"]
    assert (told["email"], told["subject"], told["metadata"]) == (f"5-{email}", "Homework is due", {})
    third = http.post(f"{path}/transactional-send", json=request(email, context={"title": "X", "score": 0}))
    assert third.json()["send_id"] == body["send_id"]
    wait_until(partial(finished, http, store, location), "the repeated send to end")
    counts = http.get(location).json()["send"]["counts"]
    assert counts == {"total": MEMBERS + 1, "enqueued": 2, "skipped": 0, "replayed": MEMBERS - 1, "failed": 0}


def client_of(store: Store, number: int) -> int:
    [loaded] = store.load(list_send.decider, numbers=[number])
    state: list_send.ListSend = loaded.state
    return state.client_id


def test_what_was_done_but_not_told_is_counted_once(
    http: httpx.Client, store: Store, path: str, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between the messages and the record of them, each time."""
    handle, turn = store.handle, count(1)

    def torn(*orders: Order, dry_run: bool = False) -> list[Outcome]:
        outcomes = handle(*orders, dry_run=dry_run)
        return [Failed(Unavailable())] * len(orders) if len(orders) > 1 and next(turn) % 2 else outcomes

    sent = http.post(f"{path}/transactional-send", json=request(email))
    location = sent.headers["Location"]
    monkeypatch.setattr(store, "handle", torn)

    def ended() -> bool:
        try:
            return finished(http, store, location)
        except Unavailable:
            return False

    wait_until(ended, "the send to end")
    assert next(turn) > 6
    counts = http.get(location).json()["send"]["counts"]
    assert counts == {"total": MEMBERS, "enqueued": MEMBERS - 2, "skipped": 1, "replayed": 0, "failed": 1}


def test_what_all_get_is_sealed(http: httpx.Client, demo_database: str, path: str, email: str) -> None:
    http.post(f"{path}/transactional-send", json=request(email, context={"title": "Confidential", "score": 1}))
    with psycopg.connect(demo_database) as connection:
        stored = connection.execute("SELECT state FROM log WHERE topic = 'list_send.requested@1'").fetchall()
    assert stored
    assert not any(b"Confidential" in bytes(state) for (state,) in stored)


def test_only_its_client_sees_a_send(http: httpx.Client, labs: httpx.Client, path: str, email: str) -> None:
    location = http.post(f"{path}/transactional-send", json=request(email)).headers["Location"]
    assert http.get(location).status_code == 200
    assert fields(labs.get(location)) == {"key": "not_found"}
    http.put(f"{path}x", json={})
    for gone in (location.replace("/sends/", "x/sends/"), f"{path}/sends/99999", f"{path}/sends/x"):
        assert fields(http.get(gone)) == {"id": "not_found"}
