"""The consent proof over HTTP, as JSON and as a page, and the command that checks it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, get_args

import httpx
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.cli import main
from api.consent_check import verdict
from api.consent_page import ACTORS, WORDS, page
from api.directory import loaded
from domain.chain import canonical, chained, flaws
from domain.consent import CONSENT, ActorKind
from domain.decider import EVENT_TYPES
from domain.store.log import Store
from tests.api.conftest import Upsert
from tests.api.serving import COURSES, LABS, MASTER_KEY_TEXT, fields
from tests.domain.test_chain import container, places

WHY = 'too <script>alert("much")</script> & more'


@pytest.fixture
def number(http: httpx.Client, upsert: Upsert, email: str) -> int:
    """A contact with a history."""
    contact: int = upsert(status="subscribed", verified=True).json()["contact_id"]
    http.put(
        "/api/contacts/preferences", json={"email": email, **COURSES, "categories": [{"tag": "Jobs", "enabled": False}]}
    )
    http.post("/api/subscriptions/unsubscribe", json={"email": email, **COURSES, "scope": "client", "reason": WHY})
    return contact


@pytest.fixture
def document(http: httpx.Client, number: int) -> Any:
    response = http.get(f"/api/contacts/{number}/consent")
    assert response.status_code == 200, response.text
    assert int(response.headers["Datamailer-Position"]) == response.json()["position"]
    return response.json()


@pytest.fixture
def command(demo_database: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command line on the test's database."""
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)
    return lambda *words: main(list(map(str, words)))


def test_every_consent_fact_is_there(document: Any, number: int, email: str) -> None:
    assert (document["contact_id"], document["email"], document["organization"]) == (number, email, "datatalksclub")
    told = [(entry["fact"], entry.get("audience"), entry.get("client")) for entry in document["entries"]]
    assert told == [
        ("contact.registered", None, None),
        ("contact.subscribed", "dtc-courses", "dtc-courses"),
        ("contact.category_disabled", "dtc-courses", "dtc-courses"),
        ("contact.unsubscribed", "dtc-courses", "dtc-courses"),
    ]
    assert all(entry["actor"] == {"kind": "client", "client": "dtc-courses"} for entry in document["entries"])
    assert document["entries"][3]["reason"] == WHY
    assert document["count"] == 4
    assert flaws(document) == []


def test_the_correlation_id_is_the_request_s(http: httpx.Client, upsert: Upsert) -> None:
    request = "6f4d1f7a-3f0e-4a55-9d0e-0f6b7f0f1234"
    number = upsert().json()["contact_id"]
    scope = {**COURSES, "verified": True}
    header = {"Datamailer-Correlation-Id": request}
    http.patch(f"/api/contacts/{number}/verification", json=scope, headers=header).raise_for_status()
    last = http.get(f"/api/contacts/{number}/consent").json()["entries"][-1]
    assert (last["fact"], last["correlation_id"]) == ("contact.verified", request)


def test_it_is_for_organizations_that_know_the_contact(labs: httpx.Client, http: httpx.Client, number: int) -> None:
    for response in (labs.get(f"/api/contacts/{number}/consent"), http.get("/api/contacts/999999999/consent")):
        assert (response.status_code, fields(response)) == (404, {"contact_id": "not_found"})


def test_each_organization_gets_its_own(
    labs: httpx.Client, http: httpx.Client, number: int, email: str, document: Any
) -> None:
    labs.post("/api/contacts", json={"email": email, **LABS, "status": "subscribed"})
    labs.patch(f"/api/contacts/{number}/suppression", json={**LABS, "complained": True, "reason": "their words"})
    theirs = labs.get(f"/api/contacts/{number}/consent")
    facts = [(entry["fact"], entry["actor"]["kind"]) for entry in theirs.json()["entries"]]
    assert facts == [
        ("contact.registered", "another_organization"),
        ("contact.subscribed", "client"),
        ("contact.complained", "client"),
    ]
    assert WHY not in theirs.text
    ours = http.get(f"/api/contacts/{number}/consent")
    assert ours.json()["entries"][-1]["actor"] == {"kind": "another_organization"}
    assert "their words" not in ours.text
    assert len(ours.json()["entries"]) == len(document["entries"]) + 1


class Page(HTMLParser):
    """What a page is made of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_can_be_read_and_printed(http: httpx.Client, number: int, email: str) -> None:
    response = http.get(f"/api/contacts/{number}/consent", headers={"Accept": "text/html,*/*;q=0.8"})
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["Content-Security-Policy"].startswith("default-src 'none'")
    page = Page(response.text)
    tags = [tag for tag, _ in page.tags]
    assert not {"script", "img", "link", "iframe"} & set(tags)
    assert not any(
        name in {"src", "href", "style"} or name.startswith("on") for _, given in page.tags for name in given
    )
    assert ("html", {"lang": "en"}) in page.tags
    assert {"main", "h1", "caption", "thead"} <= set(tags)
    heads = [given for tag, given in page.tags if tag == "th"]
    assert len(heads) == 6 + 4
    assert all(given.get("scope") in {"col", "row"} for given in heads)
    assert "@media print" in response.text
    assert "<script" not in response.text
    for words in (WHY, email, "Subscribed", "Refused mail of a category: Jobs", "4 facts", "dtc-courses"):
        assert words in page.text


def test_the_page_says_what_a_subscription_was_put_back_to(document: Any) -> None:
    restored = {
        "fact": "contact.subscription_restored",
        "status": "unsubscribed",
        "unsubscribed_at": "2026-05-01T08:00:00Z",
    }
    document["entries"][1] |= restored
    assert "was put back: unsubscribed since 2026-05-01 08:00:00" in Page(page(document)).text


def test_the_page_has_words_for_every_fact() -> None:
    assert {EVENT_TYPES[cls].name for cls in CONSENT} == WORDS.keys()
    assert {*get_args(ActorKind)} - ACTORS.keys() == {"client"}


def test_an_erased_person_s_page_names_nobody(http: httpx.Client, number: int, email: str) -> None:
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    response = http.get(f"/api/contacts/{number}/consent", headers={"Accept": "text/html"})
    assert email not in response.text
    assert "alert" not in response.text
    page = Page(response.text)
    assert "with it the contact itself ended" in page.text
    assert "The reason that was given is erased." in page.text


@pytest.fixture
def check(demo_database: str) -> Any:
    """Checks a document against the log."""
    store = Store(demo_database, MASTER_KEY_TEXT)
    directory = loaded(store)
    yield lambda document: verdict(json.dumps(document).encode(), store, directory)
    store.close()


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_is_tampered_with_is_found(document: Any, check: Any, data: st.DataObject) -> None:
    assert check(document).flaws == []
    forged = copy.deepcopy(document)
    path = data.draw(st.sampled_from(sorted(places(forged), key=str)))
    inside: Any = container(forged, path)
    name: Any = path[-1]
    how = data.draw(st.sampled_from(["change", "remove", "swap"]))
    if how == "swap" and isinstance(inside, list):
        inside[name], inside[0] = inside[0], inside[name]
    elif how == "remove":
        del inside[name]
    else:
        inside[name] = data.draw(st.sampled_from([None, True, 0, "", "another", [], {}]))
    assert (check(forged).flaws == []) == (canonical(forged) == canonical(document))


def test_a_document_chained_anew_was_not_issued(document: Any, check: Any) -> None:
    facts = [
        {name: value for name, value in entry.items() if name not in {"number", "previous", "hash"}}
        for entry in document["entries"]
    ]
    header = {name: value for name, value in document.items() if name not in {"entries", "hash", "seal", "count"}}
    forged = chained(header, facts[:-1]) | {"seal": document["seal"]}
    assert flaws(forged) == []
    assert check(forged).flaws == ["it was not issued by this service as datamailer.consent.v1"]


@pytest.fixture
def rewrite(demo_database: str, document: Any) -> Iterator[Callable[[str, Any], None]]:
    """Puts another event in the place of the document's last one, for the length of a test."""
    place = document["entries"][-1]["position"]

    def write(topic: str, data: bytes) -> None:
        with psycopg.connect(demo_database) as connection:
            values = (topic, data, place)
            connection.execute("UPDATE log SET topic = %s, state = %s WHERE notification_id = %s", values)

    with psycopg.connect(demo_database) as connection:
        before = connection.execute("SELECT topic, state FROM log WHERE notification_id = %s", (place,)).fetchone()
    assert before
    yield lambda topic, fields: write(topic, json.dumps(json.loads(before[1]) | fields).encode())
    write(*before)


def test_a_log_that_was_changed_is_found(document: Any, check: Any, rewrite: Any) -> None:
    last = document["entries"][-1]["position"]
    rewrite("contact.unsubscribed@1", {"client_id": 0})
    assert check(document).flaws == [f"position {last}: client is not what the log says"]
    rewrite("contact.tagged@1", {"tags": []})
    assert check(document).flaws == [f"the log has no such fact at position {last}"]


def test_the_command_checks_a_file(
    command: Any, document: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], upsert: Upsert
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(document, indent=3))
    upsert(status="subscribed")
    assert command("consent", "verify", file) == 0
    assert capsys.readouterr().out.splitlines() == [
        "The document is as it was issued and agrees with the log: 4 facts.",
        "The log has 1 facts from after it.",
    ]
    document["entries"][1]["actor"] = {"kind": "person"}
    file.write_text(json.dumps(document))
    assert command("consent", "verify", file) == 1
    assert "- entry 2 was changed" in capsys.readouterr().err.splitlines()


def test_a_proof_outlives_the_erasure(
    command: Any, document: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], http: httpx.Client, email: str
) -> None:
    file = tmp_path / "proof.json"
    file.write_text(json.dumps(document))
    http.post("/api/contacts/erase", json={"email": email, **COURSES})
    assert command("consent", "verify", file) == 0
    said = capsys.readouterr().out
    assert "2 of its texts were erased since" in said
    assert "1 facts from after it" in said


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nothing",
        b"[]",
        b"{}",
        b'{"entries": {}}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"hash": 1, "hash": 2}',
        b"1" * 5000,
    ],
)
def test_files_that_are_no_document(
    command: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes
) -> None:
    file = tmp_path / "proof.json"
    file.write_bytes(text)
    assert command("consent", "verify", file) == 1
    assert capsys.readouterr().err.startswith("The document does not hold:\n- ")
    assert command("consent", "verify", tmp_path / "missing") == 1
    assert "missing: No such file" in capsys.readouterr().err
