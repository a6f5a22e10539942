"""A person who was imported, written to and erased: nobody finds a word of it again, and everything else stands."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, LiteralString

import psycopg
import pytest

from api.cli import main
from api.directory import loaded
from domain import contact, message
from domain.mail_event import MailEvent
from domain.store.order import Context, Order
from domain.store.waiting_feedback import WaitingFeedback
from projections.schema import read_models
from tests.api.serving import MASTER_KEY_TEXT
from tests.consumers.conftest import ThroughKafka
from tests.consumers.mailing import accepted
from tests.consumers.running import running
from tests.imports.service import CLIENT
from tests.journey.conftest import Whole
from tests.journey.life import ADDRESS, CAMPAIGN, OTHER, PERSON, WORDS, done, found_in, lived, queued, said, spoken_of
from tests.journey.reading import as_it_stands, opened_with_all_keys, topics
from tests.projections.histories import replayed, rows
from tests.waiting import wait_until

CONSUMERS: Final = ("projector", "importer", "planner", "campaign-sender", "transactional-sender", "feedback")
PAGE: Final = "https://example.com/axolotl"


@pytest.fixture(autouse=True)
def environment(whole: Whole, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the command line reads."""
    monkeypatch.setenv("DATABASE_URL", whole.conninfo)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)


def test_nothing_is_found_of_an_erased_person(whole: Whole, capsys: pytest.CaptureFixture[str]) -> None:
    audience = whole.make_audience()
    with whole.consuming(*CONSUMERS):
        lived(whole, audience)
        assert_explained(capsys)
        before = counted(whole)
        assert found_in(as_it_stands(whole.conninfo)) >= ADDRESS, "the search finds what is there"
        assert found_in(opened(whole)) == WORDS, "and the keys open all that is sealed"
        number = erased(whole, audience)
        assert counted(whole) == before
        assert_nothing_found(whole)
        assert main(["projections", "rebuild", "all"]) == 0
        assert main(["projections", "verify", "all"]) == 0
        assert counted(whole) == before
    assert_nothing_found(whole)
    assert_replays(whole)
    assert whole.http.post("/api/contacts", json=said(audience)).json()["contact_id"] > number


def test_who_is_erased_while_all_waits_gets_no_mail_and_does_not_come_back(whole: Whole) -> None:
    """A file waits to be imported, a mail to be sent, feedback for its message."""
    audience = whole.make_audience()
    with whole.consuming("projector"):
        spoken_of(whole, audience)
        job = queued(whole, audience)
        heard_early(whole)
        whole.read("/api/contacts", audience=audience, client=CLIENT)
        assert waiting_mail(whole) == 1
        number = erased(whole, audience)
        assert found_in(as_it_stands(whole.conninfo)) == set()
        with whole.consuming("importer", "transactional-sender", "feedback"):
            wait_until(lambda: whole.http.get(job).json()["import"]["status"] == "succeeded", "the import")
            wait_until(lambda: waiting_mail(whole) == 0, "the mail to be settled")
    counts = whole.http.get(job).json()["import"]["counts"]
    assert (counts["total"], counts["invalid"]) == (2, 1)
    assert not whole.ses.messages(PERSON)
    [sent] = whole.store.load(message.transactional, numbers=[1])
    assert (sent.state.sent_at, sent.state.contact_id) == (None, number)
    assert whole.http.get("/api/contacts/status", params=said(audience)).json()["exists"] is False
    assert whole.http.get("/api/contacts/status", params=said(audience, OTHER)).json()["exists"] is True
    assert_nothing_found(whole)


def test_what_an_organization_held_goes_though_another_still_has_the_person(whole: Whole) -> None:
    audience = whole.make_audience()
    theirs = Context(organization_id=loaded(whole.store).organizations["ai-shipping-labs"].number)
    register = contact.RegisterContact(at=datetime.now(UTC), organization_id=theirs.organization_id, email=PERSON)
    with whole.consuming("projector"):
        spoken_of(whole, audience)
        accepted(whole.store, Order(decider=contact.decider, command=register, context=theirs, key=PERSON))
        assert found_in(opened(whole)) >= WORDS - {"axolotl"}
        receipt = done(whole, "POST", "/api/contacts/erase", said(audience))["receipt"]
        assert receipt["contact_gone"] is False
        whole.read("/api/contacts", audience=audience, client=CLIENT)
    assert found_in(opened(whole)) == ADDRESS, "the others' address, and none of the words"
    erase = contact.EraseContact(at=datetime.now(UTC), organization_id=theirs.organization_id)
    accepted(whole.store, Order(decider=contact.decider, command=erase, context=theirs, key=PERSON))
    with whole.consuming("projector"):
        whole.read("/api/contacts", audience=audience, client=CLIENT)
    assert_nothing_found(whole)


@pytest.mark.kafka
def test_no_topic_speaks_of_an_erased_person(whole: Whole, kafka: str) -> None:
    audience = whole.make_audience()
    way = ThroughKafka(whole.store, kafka, topic="datamailer.erasure.events")
    with running(way.relay):
        spoken_of(whole, audience)
        assert whole.http.post("/api/contacts/erase", json=said(audience)).json()["erased"]
        head = whole.store.recorder.head()
        wait_until(lambda: published(whole) >= head, "the log on the topic")
    messages = topics(kafka)
    assert CLIENT.encode() in b"".join(messages[way.topic]), "the search would find what is there"
    found = {name: found_in(each.decode(errors="replace") for each in parts) for name, parts in messages.items()}
    assert {name: words for name, words in found.items() if words} == {}


def assert_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """The log tells why the campaign mailed the person, whatever the person did since."""
    assert main(["campaigns", "why", "news", PERSON, "--client", CLIENT]) == 0
    told = capsys.readouterr().out
    assert "holds back" not in told
    assert told.index("campaign_message.requested") < told.index("message.attempted") < told.index("message.sent")
    assert main(["campaigns", "why", "news", "nobody@example.com", "--client", CLIENT]) == 0
    assert "not a contact then" in capsys.readouterr().out


def heard_early(whole: Whole) -> None:
    """What SES tells of the person in mail that nobody knows yet."""
    events = [
        MailEvent(kind="Bounce", at=datetime.now(UTC), event_id="1", word="Permanent", recipients=(PERSON, OTHER)),
        MailEvent(kind="Click", at=datetime.now(UTC), event_id="2", url=PAGE),
    ]
    WaitingFeedback(whole.store).keep(events)


def waiting_mail(whole: Whole) -> int:
    return number_of(whole, "SELECT count(*) FROM outbox")


def published(whole: Whole) -> int:
    return number_of(whole, "SELECT coalesce(max(position), 0) FROM relay")


def number_of(whole: Whole, query: LiteralString) -> int:
    with psycopg.connect(whole.conninfo) as connection:
        [(number,)] = connection.execute(query).fetchall()
    found: int = number
    return found


def counted(whole: Whole) -> tuple[Any, ...]:
    """Counters and activity of the campaign."""
    return whole.read(CAMPAIGN)["campaign"], whole.read(f"{CAMPAIGN}/stats")


def erased(whole: Whole, audience: str) -> int:
    answer = done(whole, "POST", "/api/contacts/erase", said(audience))
    assert answer["erased"], answer
    assert answer["receipt"]["contact_gone"]
    whole.read("/api/contacts", audience=audience, client=CLIENT)
    number: int = answer["contact_id"]
    return number


def opened(whole: Whole) -> Iterator[str]:
    return opened_with_all_keys(whole.conninfo, MASTER_KEY_TEXT)


def assert_nothing_found(whole: Whole) -> None:
    assert found_in(as_it_stands(whole.conninfo)) == set()
    assert found_in(opened(whole)) == set(), "nor with all the keys"


def assert_replays(whole: Whole) -> None:
    """The log makes the rows that are there."""
    models = read_models()
    with psycopg.connect(whole.conninfo, autocommit=True) as connection:
        live = rows(connection, *models)
    assert live == replayed(whole.conninfo, whole.store, *models)
