"""The senders of a client (contract, Senders)."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from config.local.postgres import Postgres
from tests.api.conftest import with_demo
from tests.api.serving import COURSES, fields, serving, settings_of

PATH = "/api/client/senders"
NEWS = {"id": "news", "email": "The News <news@example.com>"}
HELP = {"id": "help", "email": "help@example.com"}


@pytest.fixture(scope="module")
def http(postgres: Postgres, template: str) -> Iterator[httpx.Client]:
    """A client of a server of these tests' own: they take its senders away."""
    with (
        with_demo(postgres, template, "senders") as conninfo,
        serving(settings_of(conninfo)) as served,
        served.client() as client,
    ):
        yield client


def test_the_demo_client_has_its_sender(http: httpx.Client) -> None:
    shown = http.get(PATH)
    assert shown.status_code == 200
    assert shown.json() == {
        "client": {"organization": "datatalksclub", "slug": "dtc-courses", "name": "DataTalksClub courses platform"},
        "default_sender_id": "courses",
        "senders": [{"id": "courses", "email": "DataTalks.Club courses <courses@datatalksclub.example>"}],
    }


def test_senders_are_replaced_as_a_whole(http: httpx.Client) -> None:
    put = http.put(
        PATH, json={"default_sender_id": " help ", "senders": [NEWS, {"id": " help", "email": " help@example.com "}]}
    )
    assert put.status_code == 200
    assert (put.json()["default_sender_id"], put.json()["senders"]) == ("help", [NEWS, HELP])
    again = http.get(PATH)
    assert again.json() == put.json()
    assert int(again.headers["Datamailer-Position"]) >= int(put.headers["Datamailer-Position"])


def test_a_client_without_a_sender_sends_nothing(http: httpx.Client) -> None:
    draft = {**COURSES, "subject": "Hello", "text_body": "Hello"}
    assert http.put("/api/campaigns/hello", json=draft).status_code == 201
    assert http.put(PATH, json={"senders": []}).json()["senders"] == []
    template = {"name": "Hello", "subject": "Hello", "text_body": "Hello"}
    assert http.put("/api/transactional/templates/hello", json=template).status_code == 200
    send = http.post("/api/transactional/send", json={"email": "a@example.com", "template_key": "hello"})
    edit, queue = http.put("/api/campaigns/other", json=draft), http.post("/api/campaigns/hello/queue")
    for response in (send, edit, queue):
        assert (response.status_code, fields(response)) == (400, {"from_email": "not_configured"})
    assert http.get("/api/campaigns/hello").json()["campaign"]["status"] == "draft"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({}, {"senders": "required"}),
        ({"senders": None}, {"senders": "must_be_list"}),
        ({"senders": ["x"]}, {"senders.0": "must_be_object"}),
        ({"senders": [{}]}, {"senders.0.id": "required", "senders.0.email": "required"}),
        ({"senders": [{"id": 1, "email": 1}]}, {"senders.0.id": "must_be_string", "senders.0.email": "must_be_string"}),
        ({"senders": [NEWS]}, {"default_sender_id": "required"}),
        ({"senders": [NEWS], "default_sender_id": "x"}, {"default_sender_id": "not_found"}),
        ({"senders": [], "default_sender_id": "x"}, {"default_sender_id": "not_found"}),
        ({"senders": [NEWS, NEWS], "default_sender_id": "news"}, {"senders.1.id": "duplicate"}),
        ({"senders": [NEWS | {"id": "a b"}], "default_sender_id": "a b"}, {"senders.0.id": "invalid"}),
        ({"senders": [NEWS | {"id": "x" * 121}], "default_sender_id": "x" * 121}, {"senders.0.id": "too_long"}),
        ({"senders": [NEWS | {"email": "nobody"}], "default_sender_id": "news"}, {"senders.0.email": "invalid"}),
        (
            {"senders": [NEWS | {"email": "A\r\nBcc: <b@example.com>"}], "default_sender_id": "news"},
            {"senders.0.email": "invalid"},
        ),
        (
            {"senders": [NEWS | {"email": "пример@example.com"}], "default_sender_id": "news"},
            {"senders.0.email": "unsupported"},
        ),
        ({"senders": [NEWS] * 101, "default_sender_id": "news"}, {"senders": "too_many"}),
    ],
)
def test_every_wrong_field_has_its_code(http: httpx.Client, said: dict[str, object], expected: dict[str, str]) -> None:
    response = http.put(PATH, json=said)
    assert (response.status_code, fields(response)) == (400, expected)
