"""Mail that SES never answered for, on the command line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from consumers.session import connect
from domain import campaign, message
from domain.store.log import Store
from domain.store.mail_owners import NUMBER, is_transactional
from domain.store.order import Context
from projections import campaign_recipients, messages
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
def mail(store: Store) -> Posted:
    """A campaign's mail without an answer, which the read model knows of."""
    return without_answer(posted(store))


def without_answer(mail: Posted) -> Posted:
    transactional = is_transactional(mail.stream)
    context = Context(organization_id=mail.organization_id, client_id=mail.client_id)
    decider = message.transactional if transactional else message.of_campaign
    unconfirmed = message.RecordUnconfirmed(at=NOON)
    accept(mail.store, context, decider, unconfirmed, number=number_of(mail), contact_id=mail.contact_id)
    head = mail.store.recorder.head()
    name = messages.PROJECTION.name if transactional else campaign_recipients.PROJECTION.name
    with connect(mail.store.conninfo, "test waits") as connection:
        wait_until(lambda: is_caught_up(connection, name, head), "the read model")
    return mail


def number_of(mail: Posted) -> int:
    return mail.stream.int & NUMBER


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


def test_transactional_mail_is_named_by_its_messages(run: Any, store: Store) -> None:
    mails = [without_answer(posted(store, transactional=True)) for _ in range(2)]
    first, second = (number_of(mail) for mail in mails)
    of_client = ("--client", "dtc-courses")
    status, said, _ = run("messages", "unconfirmed", "transactional", *of_client)
    times = ["2026-05-24", "12:00:00Z"]
    rows = [["message", "asked"], [str(first), *times], [str(second), *times]]
    assert (status, [line.split() for line in said.splitlines()]) == (0, rows)
    theirs = ("messages", "release", "transactional", first, "--client", "asl-platform")
    assert run(*theirs) == (1, "", f"messages: not unconfirmed: {first}\n")
    assert run("messages", "release", "transactional", first, *of_client) == (0, "1 of 1 will be sent again.\n", "")
    assert [status_of(mail) for mail in mails] == ["queued", "unconfirmed"]
    assert run("messages", "release", "transactional", "x", *of_client) == (1, "", "messages: invalid\n")
    assert run("messages", "release", "transactional", "all", *of_client)[0] == 0
    assert status_of(mails[1]) == "queued"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("unconfirmed", "transactional"), "client: required"),
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
