"""The log is lost in mid-import: what was done stands, and sending the file again completes it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from domain.import_row import ImportRow
from domain.store.log import Store
from domain.store.order import Failed, Order, Outcome, Unavailable
from tests.imports.service import CLIENT, Service

ROWS = 250


def text(audience: str) -> str:
    return "email\n" + "".join(f"u{number}@{audience}.org\n" for number in range(ROWS))


@pytest.fixture
def losing(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """After one chunk of an import, the log answers no more of it."""
    monkeypatch.setattr("api.imports_run.CHUNK", 100)
    handle = Store.handle

    def lost(self: Store, *orders: Order, **how: Any) -> list[Outcome]:
        first = orders[0].command
        if isinstance(first, ImportRow) and first.item > 1:
            return [Failed(Unavailable())] * len(orders)
        return handle(self, *orders, **how)

    monkeypatch.setattr(Store, "handle", lost)
    return monkeypatch


def completed(service: Service, audience: str) -> Any:
    return service.imported(text(audience), audience)["counts"]


def test_the_whole_answer_is_unavailable(service: Service, audience: str, losing: pytest.MonkeyPatch) -> None:
    response = service.import_csv(text(audience), audience)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "unavailable")
    assert "retry-after" in response.headers
    losing.undo()
    counts = completed(service, audience)
    assert (counts["created"], counts["unchanged"]) == (ROWS - 100, 100)


def test_lines_end_with_the_error(service: Service, audience: str, losing: pytest.MonkeyPatch) -> None:
    data = {"audience": audience, "client": CLIENT}
    files = {"file": ("x.csv", text(audience))}
    accept = {"accept": "application/x-ndjson"}
    response = service.http.post("/api/contacts/imports/csv", files=files, data=data, headers=accept)
    lines = [json.loads(line) for line in response.text.splitlines()]
    assert [line["action"] for line in lines[:-1]] == ["created"] * 100
    assert (lines[-1]["error"]["code"], lines[-1]["counts"]["created"]) == ("unavailable", 100)
    losing.undo()
    assert completed(service, audience)["created"] == ROWS - 100


def test_an_unavailable_answer_is_not_remembered(service: Service, audience: str, losing: pytest.MonkeyPatch) -> None:
    def send() -> int:
        data = {"audience": audience, "client": CLIENT}
        files = {"file": ("x.csv", text(audience))}
        key = {"idempotency-key": f"outage-{audience}"}
        return service.http.post("/api/contacts/imports/csv", files=files, data=data, headers=key).status_code

    assert send() == 503
    losing.undo()
    assert [send(), send()] == [200, 200]
