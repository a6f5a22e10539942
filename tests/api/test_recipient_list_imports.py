"""Imports of members over HTTP: queued from a URL, fetched, carried out, shown with their errors."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from typing import Any

import httpx
import pytest

from consumers.__main__ import fetcher, importer
from domain.store.log import Store
from tests.api.serving import MASTER_KEY_TEXT, fields, settings_of
from tests.consumers.hosts import Host, serving
from tests.consumers.running import running
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("projected")
numbers = count(1)


@pytest.fixture(scope="module")
def importing(demo_database: str) -> Iterator[None]:
    """Files are fetched and imported."""
    settings = settings_of(demo_database)
    with running(fetcher(settings), importer(settings)):
        yield


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def path(http: httpx.Client) -> str:
    """The imports of a list that nobody has used."""
    key = f"imported{next(numbers)}"
    assert http.put(f"/api/recipient-lists/{key}", json={}).status_code == 201
    return f"/api/recipient-lists/{key}/imports"


def ended(http: httpx.Client, location: str) -> Any:
    """The import once it has ended."""

    def job() -> Any:
        return http.get(location).json()["import"]

    wait_until(lambda: job()["finished_at"] is not None, "the import to end")
    return job()


@pytest.mark.usefixtures("importing")
def test_an_import_is_queued_carried_out_and_shown(http: httpx.Client, host: Host, path: str, email: str) -> None:
    lines = [json.dumps({"source_object_key": key, "email": f"{key}-{email}"}) for key in "ab"]
    host.pages["/members"] = lambda asked: asked.say(200, "\n".join([*lines, "nobody"]).encode())
    queued = http.post(path, json={"url": host.url("/members?key=1"), "remove_absent": True})
    assert queued.status_code == 202, queued.text
    job = queued.json()["import"]
    assert queued.headers["location"] == f"{path}/{job['id']}"
    assert (job["status"], job["counts"]["total"], job["remove_absent"], job["errors"]) == ("queued", 0, True, [])
    done = ended(http, queued.headers["location"])
    counts = {"total": 3, "created": 2, "updated": 0, "unchanged": 0, "removed": 0, "invalid": 1}
    assert (done["status"], done["counts"], host.asked) == ("succeeded", counts, ["GET /members?key=1"])
    assert done["errors"] == [{"index": 2, "item": 3, "row": 3, "errors": {"line": "invalid_json"}}]
    host.pages["/nowhere"] = lambda asked: asked.say(404)
    failed = http.post(path, json={"url": host.url("/nowhere")})
    second = ended(http, failed.headers["location"])
    assert (second["status"], second["failure"], second["started_at"]) == ("failed", "http_404", None)
    head = http.get(f"/api/recipient-lists/{done['recipient_list_key']}").headers["Datamailer-Position"]
    page = http.get(path, params={"limit": 1, "min_position": head}).json()
    rest = http.get(path, params={"cursor": page["next_cursor"], "min_position": head}).json()
    assert [each["id"] for each in page["imports"] + rest["imports"]] == [second["id"], done["id"]]
    assert (rest["imports"][0]["counts"], rest["next_cursor"]) == (counts, None)
    members = http.get(path.replace("/imports", "/members"), params={"min_position": head}).json()["members"]
    assert [each["email"] for each in members] == [f"a-{email}", f"b-{email}"]


def test_a_repeated_request_queues_once(http: httpx.Client, host: Host, path: str, email: str) -> None:
    headers = {"Idempotency-Key": email}
    first, again = (http.post(path, json={"url": host.url("/x")}, headers=headers) for _ in range(2))
    assert (again.status_code, again.json()) == (202, first.json())


def test_what_is_refused(http: httpx.Client, labs: httpx.Client, path: str) -> None:
    def refused(body: Any, client: httpx.Client = http, at: str = path) -> tuple[int, dict[str, str]]:
        response = client.post(at, json=body)
        return response.status_code, fields(response)

    assert refused({}) == (400, {"url": "required"})
    assert refused({"url": "x" * 2049}) == (400, {"url": "too_long"})
    for url in ("ftp://example.com/", "https://user:word@example.com/", "members.ndjson"):
        assert refused({"url": url}) == (400, {"url": "unsupported"})
    assert refused({"url": "http://169.254.169.254/latest"}) == (403, {"url": "forbidden"})
    good = {"url": "https://example.com/"}
    assert refused(good, at="/api/recipient-lists/never/imports") == (404, {"key": "not_found"})
    assert refused(good, labs) == (404, {"key": "not_found"})
    for gone in (f"{path}/999999", f"{path}/x"):
        assert fields(http.get(gone)) == {"id": "not_found"}


def test_imports_of_contacts_and_of_members_are_told_apart(http: httpx.Client, host: Host, path: str) -> None:
    number = http.post(path, json={"url": host.url("/x")}).json()["import"]["id"]
    assert fields(http.get(f"/api/imports/{number}")) == {"id": "not_found"}
    assert fields(http.post(f"/api/imports/{number}/undo", json={})) == {"id": "not_found"}
    position = http.get("/api/health").headers.get("Datamailer-Position", "0")
    page = http.get("/api/imports", params={"min_position": position}).json()
    assert number not in [each["id"] for each in page["imports"]]


def test_the_address_of_a_file_is_kept_sealed(http: httpx.Client, demo_database: str, host: Host, path: str) -> None:
    http.post(path, json={"url": host.url("/members?token=let-me-in")})
    with closing(Store(demo_database, MASTER_KEY_TEXT)) as store:
        assert all(b"let-me-in" not in event.data for event in store.read(0, 100_000))
