"""Mail that SES never answered for, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from api.cli import main
from consumers.session import connect
from domain import campaign, message
from domain.store.log import Store
from domain.store.order import Context
from projections.campaign_recipients import PROJECTION
from projections.checkpoint import is_caught_up
from tests.api.posted import Posted, accept, posted
from tests.api.serving import MASTER_KEY_TEXT
from tests.store.conftest import NOON
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("projected")


@pytest.fixture
def store(demo_database: str) -> Iterator[Store]:
    store = Store(demo_database, MASTER_KEY_TEXT)
    yield store
    store.close()


@pytest.fixture
def run(demo_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command; gives its status and what it wrote."""
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)

    def ran(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        written = capsys.readouterr()
        return status, written.out, written.err

    return ran


@pytest.fixture
def mail(store: Store) -> Posted:
    """A campaign's mail without an answer, which the read model knows of."""
    mail = posted(store)
    number, contact_id = message.campaign_and_contact(mail.stream)
    unconfirmed = message.RecordUnconfirmed(at=NOON)
    context = Context(organization_id=mail.organization_id, client_id=mail.client_id)
    stream = message.campaign_message_number(number, contact_id)
    accept(store, context, message.of_campaign, unconfirmed, number=stream, contact_id=contact_id)
    head = store.recorder.head()
    with connect(store.conninfo, "test waits") as connection:
        wait_until(lambda: is_caught_up(connection, PROJECTION.name, head), "the recipients")
    return mail


def status_of(mail: Posted) -> str | None:
    return mail.state.status


def test_what_is_unconfirmed_is_released(run: Any, mail: Posted) -> None:
    number, contact_id = message.campaign_and_contact(mail.stream)
    status, said, _ = run("messages", "unconfirmed", number)
    assert (status, [line.split() for line in said.splitlines()]) == (
        0,
        [["contact", "asked"], [str(contact_id), "2026-05-24", "12:00:00Z"]],
    )
    assert run("messages", "release", number, contact_id + 1)[0] == 1
    assert status_of(mail) == "unconfirmed"
    assert run("messages", "release", number, "all") == (0, "1 of 1 will be sent again.\n", "")
    assert status_of(mail) == "queued"
    assert mail.events()[-1][0] == "operator"
    assert run("messages", "unconfirmed", number)[1].splitlines() == ["contact  asked"]


def test_a_campaign_by_its_key(run: Any, mail: Posted) -> None:
    number, contact_id = message.campaign_and_contact(mail.stream)
    [loaded] = mail.store.load(campaign.decider, numbers=[number])
    of_client = ("--client", "dtc-courses")
    assert run("messages", "release", loaded.state.external_key, contact_id, *of_client)[0] == 0
    assert status_of(mail) == "queued"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("unconfirmed", "no-such"), "client: required"),
        (("unconfirmed", "no-such", "--client", "dtc-courses"), "campaign: not_found"),
        (("unconfirmed", "99999999"), "campaign: not_found"),
    ],
)
def test_no_such_campaign(run: Any, words: tuple[str, ...], said: str) -> None:
    status, _, error = run("messages", *words)
    assert status == 1
    assert said in error


def test_contacts_that_are_none(run: Any, mail: Posted) -> None:
    number, _ = message.campaign_and_contact(mail.stream)
    assert run("messages", "release", number, "everybody") == (1, "", "contacts: invalid\n")
