"""Read your writes (contract, Read your writes)."""

from __future__ import annotations

import httpx
import pytest

from api import positions
from api.demo import add_demo
from consumers.__main__ import projector
from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, MASTER_KEY_TEXT, fields, serving, settings_of
from tests.consumers.running import running

FAR = 10**12


@pytest.mark.usefixtures("projected")
def test_a_read_after_a_write_has_it(http: httpx.Client, upsert: Upsert, email: str) -> None:
    for n in range(20):
        position = upsert(tags=[f"mark-{n}-{email.partition('@')[0]}"]).headers["Datamailer-Position"]
        query = {**COURSES, "tags": f"mark-{n}-{email.partition('@')[0]}"}
        wanted = {"min_position": position} if n % 2 else {}
        headers = {} if n % 2 else {"Datamailer-Min-Position": position}
        response = http.get("/api/contacts", params={**query, **wanted}, headers=headers)
        assert [contact["email"] for contact in response.json()["contacts"]] == [email]
        assert int(response.headers["Datamailer-Position"]) >= int(position)


@pytest.mark.usefixtures("projected")
def test_a_read_says_what_it_reflects_without_being_asked(http: httpx.Client, upsert: Upsert) -> None:
    position = upsert().headers["Datamailer-Position"]
    http.get("/api/contacts", params={**COURSES, "min_position": position})
    assert int(http.get("/api/contacts", params=COURSES).headers["Datamailer-Position"]) >= int(position)


@pytest.mark.usefixtures("projected")
def test_a_position_that_is_not_reached_in_time(http: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "WAIT_SECONDS", 0.3)
    response = http.get("/api/contacts", params={**COURSES, "min_position": FAR})
    assert (response.status_code, response.json()["error"]["code"]) == (503, "projection_behind")
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize(
    ("value", "code"), [("x", "must_be_integer"), ("1.5", "must_be_integer"), ("-1", "must_be_positive")]
)
def test_positions_that_are_none(http: httpx.Client, value: str, code: str) -> None:
    response = http.get("/api/contacts", params={**COURSES, "min_position": value, "limit": 0})
    assert response.status_code == 400
    assert fields(response) == {"min_position": code, "limit": "must_be_between_1_and_500"}


def test_a_reader_waits_for_the_read_model(database: str) -> None:
    store = Store(database, MASTER_KEY_TEXT)
    add_demo(store)
    store.close()
    settings = settings_of(database)
    with serving(settings) as served, served.client() as http:
        written = http.post("/api/contacts", json={"email": "late@example.com", **COURSES, "tags": ["late"]})
        position = written.headers["Datamailer-Position"]
        assert http.get("/api/contacts", params=COURSES).json()["contacts"] == []
        with running(projector(settings)):
            query = {**COURSES, "tags": "late", "min_position": position}
            found = http.get("/api/contacts", params=query).json()["contacts"]
    assert [contact["email"] for contact in found] == ["late@example.com"]
