"""Undoing an import: what it did goes back, what changed since stays, and once more changes nothing."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from api.cli import main
from tests.api.serving import MASTER_KEY
from tests.consumers.running import assert_equals_replay
from tests.imports.service import CLIENT, Service
from tests.imports.test_jobs import ended, queue

FILE = """email,status,verified,tags,hard_bounced
new@undo.example,subscribed,true,a,
later@undo.example,subscribed,,a,
known@undo.example,subscribed,true,b,true
"""
SHOWN = ("exists", "hard_bounced", "client", "can_send_transactional")


@pytest.fixture
def known(service: Service, audience: str) -> dict[str, Any]:
    """A contact from before the import, who had unsubscribed."""
    said = {"tags": ["own"], "status": "unsubscribed", "unsubscribe_reason": "too many"}
    upsert(service, audience, "known@undo.example", **said)
    found: dict[str, Any] = status(service, audience, "known@undo.example")
    return found


def upsert(service: Service, audience: str, email: str, **said: Any) -> None:
    response = service.post("/api/contacts", json={"audience": audience, "client": CLIENT, "email": email, **said})
    assert response.status_code == 200, response.text


def status(service: Service, audience: str, email: str) -> Any:
    scope = {"audience": audience, "client": CLIENT, "email": email}
    return service.http.get("/api/contacts/status", params=scope).json()


def imported(service: Service, audience: str) -> str:
    location = queue(service, audience, FILE).headers["location"]
    assert ended(service, location)["counts"]["invalid"] == 0
    return str(location)


def undone(service: Service, location: str, **said: Any) -> Any:
    response = service.post(f"{location}/undo", json=said)
    assert response.status_code == 200, response.text
    return response.json()["counts"]


def test_an_import_is_undone_but_for_what_changed_since(service: Service, audience: str, known: dict[str, Any]) -> None:
    location = imported(service, audience)
    upsert(service, audience, "later@undo.example", status="unsubscribed", tags=["mine"])
    expected = {
        "contacts": 3,
        "undone": 6,
        "left_alone": 1,
        "undone_by_aspect": {"subscriptions": 2, "tags": 3, "suppressions": 1},
        "left_alone_by_aspect": {"subscriptions": 1},
    }
    before = service.emails(audience)
    assert undone(service, location, dry_run=True) == expected
    assert service.emails(audience) == before
    assert undone(service, location) == expected
    after = status(service, audience, "known@undo.example")
    assert {name: after[name] for name in SHOWN} == {name: known[name] for name in SHOWN}
    assert status(service, audience, "new@undo.example")["exists"] is False
    assert_told_of(service, audience, location)
    assert status(service, audience, "later@undo.example")["client"]["status"] == "unsubscribed"
    rows = {contact["email"]: contact["tags"] for contact in service.page(audience)["contacts"]}
    assert rows == {"known@undo.example": ["own"], "later@undo.example": ["mine"]}
    again = undone(service, location)
    assert (again["undone"], again["left_alone"]) == (0, 1)
    assert_equals_replay(service.store)


def registered(service: Service, email: str) -> int:
    """The contact of an address, as the client's events tell."""
    page: dict[str, Any] = {"next": 0, "more": True}
    while page["more"]:
        asked = {"types": "contact.registered", "limit": 500, "after": page["next"]}
        page = service.http.get("/api/events", params=asked).json()
        for event in page["events"]:
            if event["data"]["email"] == email:
                return int(event["contact"])
    raise LookupError(email)


def assert_told_of(service: Service, audience: str, location: str) -> None:
    """One whom the import made is gone, and what it was while the import stood can be asked for."""
    number = registered(service, "new@undo.example")
    scope = {"audience": audience, "client": CLIENT}
    assert service.http.get(f"/api/contacts/{number}", params=scope).json()["exists"] is False
    finished = service.http.get(location).json()["import"]["finished_at"]
    then = service.http.get(f"/api/contacts/{number}", params={**scope, "as_of": finished}).json()
    assert (then["exists"], then["client"]["status"], then["tags"]) == (True, "subscribed", ["a"])
    changes = service.http.get(f"/api/contacts/{number}/changes", params={**scope, "from": finished}).json()
    assert {"contact.subscription_withdrawn"} <= {event["type"] for event in changes["events"]}


@pytest.mark.usefixtures("known")
def test_an_operator_undoes_an_import(
    service: Service, audience: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    number = imported(service, audience).rpartition("/")[2]
    monkeypatch.setenv("DATABASE_URL", service.conninfo)
    monkeypatch.setenv("MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    assert main(["imports", "undo", number, "--dry-run"]) == 0
    assert "would be undone" in capsys.readouterr().out
    assert main(["imports", "undo", number]) == 0
    assert "left alone" in capsys.readouterr().out
    assert status(service, audience, "new@undo.example")["exists"] is False
    assert main(["imports", "undo", "999999"]) == 1


def test_somebody_elses_import_is_not_found(service: Service) -> None:
    response = service.http.post("/api/imports/999999/undo", json={})
    assert (response.status_code, response.json()["error"]["fields"]) == (404, {"id": "not_found"})
