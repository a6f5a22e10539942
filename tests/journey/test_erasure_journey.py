"""A person who was imported, written to and erased: nobody finds a word of it again, and everything else stands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any, Final

import psycopg
import pytest
from kafka import KafkaConsumer
from psycopg import sql

from api.cli import main
from domain.personal import Personal
from domain.store.log import Store
from projections.schema import read_models
from tests.api.serving import MASTER_KEY_TEXT
from tests.consumers.conftest import ThroughKafka
from tests.consumers.running import running
from tests.imports.service import CLIENT
from tests.journey.conftest import Whole
from tests.projections.histories import replayed, rows
from tests.waiting import wait_until

PERSON: Final = "zebra.quagga@okapi.example"
OTHER: Final = "somebody.else@example.com"
WORDS: Final = ("zebra", "quagga", "okapi.example", "xenopus", "tapir", "numbat", "axolotl")
"""Parts of the address, and a word of everything that was said to or about the person."""

CAMPAIGN: Final = "/api/campaigns/news"
TABLES: Final = """
SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
CONSUMERS: Final = ("projector", "importer", "planner", "campaign-sender", "transactional-sender")


def test_nothing_is_found_of_an_erased_person(
    whole: Whole, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    audience = whole.make_audience()
    with whole.consuming(*CONSUMERS):
        lived(whole, audience)
        assert_explained(whole, capsys, monkeypatch)
        before = counted(whole)
        assert {"zebra", "quagga", "okapi.example"} <= found_in(database(whole)), "the search finds what is there"
        assert set(WORDS) <= found_in(opened(whole)), "the keys open what is sealed"
        number = erased(whole, audience)
        assert counted(whole) == before
    assert found_in(database(whole)) == set()
    assert found_in(opened(whole)) == set()
    assert_replays(whole)
    assert whole.http.post("/api/contacts", json=said(audience)).json()["contact_id"] > number


@pytest.mark.kafka
def test_the_topic_does_not_speak_of_an_erased_person(whole: Whole, kafka: str) -> None:
    audience = whole.make_audience()
    way = ThroughKafka(whole.store, kafka, topic="datamailer.erasure.events")
    with running(way.relay):
        spoken_of(whole, audience)
        assert whole.http.post("/api/contacts/erase", json=said(audience)).json()["erased"]
        messages = published(way, whole.store.recorder.head())
    assert CLIENT.encode() in b"".join(messages), "the search would find what is there"
    assert found_in(part.decode(errors="replace") for part in messages) == set()


def assert_explained(whole: Whole, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The log tells why the campaign mailed the person, whatever the person did since."""
    monkeypatch.setenv("DATABASE_URL", whole.conninfo)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)
    assert main(["campaigns", "why", "news", PERSON, "--client", CLIENT]) == 0
    told = capsys.readouterr().out
    assert "holds back" not in told
    assert told.index("campaign_message.requested") < told.index("message.attempted") < told.index("message.sent")
    assert main(["campaigns", "why", "news", "nobody@example.com", "--client", CLIENT]) == 0
    assert "not a contact then" in capsys.readouterr().out


def said(audience: str, email: str = PERSON) -> dict[str, Any]:
    return {"audience": audience, "client": CLIENT, "email": email}


def lived(whole: Whole, audience: str) -> None:
    """Everything that can be said of the person is said, and mail goes out."""
    file = f"email,status,verified\n{PERSON},subscribed,true\n{OTHER},subscribed,true\n"
    job = whole.http.post(
        "/api/contacts/imports/csv",
        params={"async": "true", "audience": audience, "client": CLIENT},
        content=file.encode(),
        headers={"content-type": "text/csv"},
    )
    assert job.status_code == 202, job.text
    place = job.headers["location"]
    wait_until(lambda: whole.http.get(place).json()["import"]["status"] == "succeeded", "the import")
    spoken_of(whole, audience)
    draft = {"audience": audience, "client": CLIENT, "subject": "News", "text_body": "News for all"}
    done(whole, "PUT", CAMPAIGN, draft)
    done(whole, "POST", f"{CAMPAIGN}/queue", None)
    wait_until(lambda: whole.read(CAMPAIGN)["campaign"]["status"] == "sent", "the campaign")
    wait_until(lambda: len(whole.ses.messages(PERSON)) == len(("campaign", "transactional")), "both mails")
    leaving = {**said(audience), "scope": "client", "reason": "axolotl"}
    done(whole, "POST", "/api/subscriptions/unsubscribe", leaving)


def spoken_of(whole: Whole, audience: str) -> None:
    """The person's address is judged, a category refused, a mail requested."""
    done(whole, "POST", "/api/contacts", {**said(audience), "email_validation": {"status": "valid", "reason": "tapir"}})
    off = {"categories": [{"tag": "jobs", "enabled": False}], "reason": "numbat"}
    done(whole, "PUT", "/api/contacts/preferences", {**said(audience), **off})
    template = {"name": "W", "subject": "Hello {{ animal }}", "text_body": "A {{ animal }} for {{ email }}"}
    done(whole, "PUT", "/api/transactional/templates/w", template)
    mail = {"email": PERSON, "template_key": "w", "context": {"animal": "xenopus", "email": PERSON}}
    done(whole, "POST", "/api/transactional/send", {**mail, "metadata": {"of": PERSON}, "idempotency_key": "one"})


def done(whole: Whole, method: str, path: str, body: Any) -> None:
    response = whole.http.request(method, path, json=body)
    assert response.is_success, response.text


def counted(whole: Whole) -> tuple[Any, ...]:
    """Counters and activity of the campaign."""
    return whole.read(CAMPAIGN)["campaign"], whole.read(f"{CAMPAIGN}/stats")


def erased(whole: Whole, audience: str) -> int:
    answer = whole.http.post("/api/contacts/erase", json=said(audience)).json()
    assert answer["erased"], answer
    assert answer["receipt"]["contact_gone"]
    whole.read("/api/contacts", audience=audience, client=CLIENT)
    whole.read(CAMPAIGN)
    number: int = answer["contact_id"]
    return number


def database(whole: Whole) -> Iterator[str]:
    """Every row of every table, bytes as the text that they are."""
    with psycopg.connect(whole.conninfo) as connection:
        for table in connection.execute(TABLES).fetchall():
            for row in connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(*table))):
                yield " ".join(v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row)


def opened(whole: Whole) -> Iterator[str]:
    """All that the keys which are left open in the log."""
    with closing(Store(whole.conninfo, MASTER_KEY_TEXT)) as store:
        for _, event in store.open(store.read(0, 100_000)):
            values = [getattr(event, name) for name in event.__struct_fields__]
            yield " ".join(value.text if isinstance(value, Personal) else str(value) for value in values)


def published(way: ThroughKafka, count: int) -> list[bytes]:
    """Keys, headers and values of the topic's messages, once the log is there."""
    options = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "group_id": None}
    found: list[bytes] = []
    with closing(KafkaConsumer(way.topic, bootstrap_servers=way.servers.split(","), **options)) as consumer:

        def complete() -> bool:
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(b"".join([r.key or b"", *(v for _, v in r.headers), r.value or b""]) for r in records)
            return len(found) >= count

        wait_until(complete, "the log on the topic")
    return found


def found_in(texts: Iterator[str]) -> set[str]:
    """The words that occur, in clear or as JSON or hexadecimal digits have them."""
    forms = {word: (word, json.dumps(word)[1:-1], word.encode().hex()) for word in WORDS}
    return {word for text in texts for word in WORDS if any(form in text.lower() for form in forms[word])}


def assert_replays(whole: Whole) -> None:
    """The log makes the rows that are there."""
    models = read_models()
    with psycopg.connect(whole.conninfo, autocommit=True) as connection:
        live = rows(connection, *models)
    assert live == replayed(whole.conninfo, whole.store, *models)
