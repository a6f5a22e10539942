"""The feed while many write at once: whoever pages through it or follows it gets every event once, in its order."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from threading import Event as Flag
from typing import Any

import httpx
import pytest

from tests.api.serving import COURSES, LABS, Served
from tests.api.test_event_stream import STREAM, messages

WRITERS, WRITES, ROWS = 4, 25, 450
Event = dict[str, Any]


@pytest.fixture
def here(http: httpx.Client) -> int:
    """The end of the log."""
    end: int = http.get("/api/events", params={"after": 10**15}).json()["next"]
    return end


def write(served: Served, name: str) -> None:
    """Commands one by one, each with an append of its own or with those of others."""
    with served.client() as http:
        for n in range(WRITES):
            body = {"email": f"writer-{name}-{n % 5}@example.com", **COURSES, "tags": [f"t{n}"]}
            http.post("/api/contacts", json=body).raise_for_status()


def bring(served: Served, name: str) -> None:
    """An import: hundreds of events in one append, by another way into the log."""
    rows = "".join(f"writer-{name}-row-{n}@example.com\n" for n in range(ROWS))
    with served.client() as http:
        body = {"csv": f"email\n{rows}", **COURSES}
        http.post("/api/contacts/imports/csv", json=body).raise_for_status()


def interfere(labs: httpx.Client, name: str) -> None:
    """Events of somebody else between."""
    for n in range(WRITES):
        labs.post("/api/contacts", json={"email": f"other-{name}-{n}@example.com", **LABS}).raise_for_status()


def paged(served: Served, after: int, done: Flag) -> Iterator[Event]:
    """Page after page, until there is nothing more once all is written."""
    with served.client() as http:
        while True:
            last = done.is_set()
            page = http.get("/api/events", params={"after": after, "limit": 7}).raise_for_status().json()
            yield from page["events"]
            after = page["next"]
            if last and not page["more"]:
                return


def followed(served: Served, after: int, marker: str) -> Iterator[Event]:
    """Followed live by a reader that is cut off again and again, until the last event of all."""
    with served.client() as http:
        while True:
            headers = {**STREAM, "Last-Event-ID": str(after)}
            with http.stream("GET", "/api/events", headers=headers) as response:
                for event in islice(messages(response), 40):
                    yield event
                    after = event["position"]
                    if marker in str(event["data"].get("tags")):
                        return


def test_nobody_misses_an_event_or_gets_one_twice(
    served: Served, http: httpx.Client, labs: httpx.Client, here: int
) -> None:
    name, done = str(here), Flag()
    with ThreadPoolExecutor(WRITERS + 5) as pool:
        pages = pool.submit(lambda: list(paged(served, here, done)))
        streams = [pool.submit(lambda: list(followed(served, here, f"last {name}"))) for _ in range(2)]
        writing: list[Future[None]] = [pool.submit(write, served, f"{name}-{n}") for n in range(WRITERS)]
        writing += [pool.submit(bring, served, name), pool.submit(interfere, labs, name)]
        try:
            for each in writing:
                each.result()
        finally:
            body = {"email": f"writer-{name}-last@example.com", **COURSES, "tags": [f"last {name}"]}
            http.post("/api/contacts", json=body).raise_for_status()
            done.set()
        read = [each.result() for each in (pages, *streams)]
    whole: list[Event] = []
    while (page := http.get("/api/events", params={"after": here, "limit": 500}).json())["events"]:
        whole, here = whole + page["events"], page["next"]
    assert len(whole) > ROWS + WRITERS * WRITES
    positions = [event["position"] for event in whole]
    assert positions == sorted(set(positions))
    for events in read:
        assert [event["position"] for event in events] == positions
        assert events == whole
