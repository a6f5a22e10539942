"""An import that was queued before an erasure does not bring the person back."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import psycopg
import pytest

from consumers.importer import Importer
from domain import audience, client, contact, import_job, recipient_list
from domain.import_job import ImportJob, QueueImport
from domain.store.log import Store
from domain.store.order import Context, Order, Outcome
from domain.store.uploads import Uploads
from tests.api.serving import MASTER_KEY_TEXT
from tests.consumers.mailing import accepted

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
PERSON = "quagga@okapi.example"
OURS, THEIRS = Context(organization_id=1, client_id=1), Context(organization_id=2, client_id=2)
FILE = f"email,tags\n{PERSON},one\nother@example.com,one\n"


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store in which organization 1 has the audience ``club`` and the client ``app``."""
    with closing(Store(database, MASTER_KEY_TEXT)) as store:
        commands = (
            (audience.decider, audience.CreateAudience(at=NOON, organization_id=1, slug="club", name="Club")),
            (client.decider, client.CreateClient(at=NOON, organization_id=1, slug="app", name="App")),
        )
        for decider, command in commands:
            accepted(store, Order(decider=decider, command=command, context=OURS, key=f"1/{command.slug}"))
        yield store


def registered(store: Store, context: Context = OURS) -> int:
    """The person's contact."""
    command = contact.RegisterContact(at=NOON, organization_id=context.organization_id, email=PERSON)
    [outcome] = accepted(store, Order(decider=contact.decider, command=command, context=context, key=PERSON))
    return outcome.number


def erased(store: Store, context: Context = OURS) -> bool:
    """Erase the person; gives whether there was something to erase."""
    command = contact.EraseContact(at=NOON, organization_id=context.organization_id)
    [outcome] = accepted(store, Order(decider=contact.decider, command=command, context=context, key=PERSON))
    return bool(outcome.events)


def queue(store: Store, file: str = FILE, list_id: int = 0) -> UUID:
    upload = Uploads(store.conninfo, store.keyring).add([file.encode()])
    command = QueueImport(at=NOON, organization_id=1, client_id=1, audience="club", client="app", list_id=list_id)
    accepted(store, Order(decider=import_job.decider, command=command, context=OURS, key=str(upload)))
    return upload


def imported(store: Store, upload: UUID) -> ImportJob:
    """The job after the importer had its turn."""
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        Importer(store).look(connection, threading.Event())
        assert connection.execute("SELECT count(*) FROM erased_meanwhile").fetchone() == (0,), "gone with the file"
    [loaded] = store.load(import_job.decider, keys=[str(upload)])
    job: ImportJob = loaded.state
    assert job.status == "succeeded"
    return job


def person(store: Store) -> contact.Contact:
    [loaded] = store.load(contact.decider, keys=[PERSON])
    state: contact.Contact = loaded.state
    return state


def errors(store: Store) -> list[dict[str, str]]:
    events = store.open(store.read(0, 1_000))
    return [e.fields for _, event in events if isinstance(event, import_job.ImportProgressed) for e in event.errors]


@pytest.mark.parametrize("others", [False, True], ids=["gone", "of others too"])
def test_a_row_of_who_was_erased_while_the_file_waited_is_refused(store: Store, others: bool) -> None:  # noqa: FBT001
    registered(store)
    if others:
        registered(store, THEIRS)
    upload = queue(store)
    assert erased(store)
    job = imported(store, upload)
    assert (job.counts.total, job.counts.created, job.counts.invalid) == (2, 1, 1)
    assert errors(store) == [{"email": "forbidden"}]
    assert person(store).organizations == (frozenset({2}) if others else frozenset())


def test_so_is_one_of_a_list_s_members(store: Store) -> None:
    opened = recipient_list.OpenList(at=NOON, organization_id=1, client_id=1, key="course")
    accepted(store, Order(decider=recipient_list.decider, command=opened, context=OURS, key="1/course"))
    registered(store)
    members = [{"email": email, "source_object_key": email} for email in (PERSON, "b@example.com")]
    upload = queue(store, "".join(f"{json.dumps(member)}\n" for member in members), list_id=1)
    assert erased(store)
    assert imported(store, upload).counts.invalid == 1
    assert errors(store) == [{"email": "forbidden"}]
    assert person(store) == contact.Contact()


def test_the_erasure_of_others_changes_nothing(store: Store) -> None:
    registered(store, THEIRS)
    upload = queue(store)
    assert erased(store, THEIRS)
    assert imported(store, upload).counts.created == 2
    assert person(store).organizations == {1}


def test_whoever_comes_back_otherwise_stays(store: Store) -> None:
    registered(store)
    upload = queue(store)
    assert erased(store)
    number = registered(store)
    assert imported(store, upload).counts.invalid == 1
    [loaded] = store.load(contact.decider, numbers=[number])
    assert (loaded.state.organizations, loaded.state.tags) == ({1}, {})


def test_a_later_file_is_a_new_beginning(store: Store) -> None:
    before = registered(store)
    assert erased(store)
    assert imported(store, queue(store)).counts.created == 2
    [loaded] = store.load(contact.decider, keys=[PERSON])
    assert loaded.number > before


@pytest.mark.parametrize("others", [False, True], ids=["gone", "of others too"])
def test_who_is_erased_while_the_row_is_on_its_way_is_erased_again(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    others: bool,  # noqa: FBT001
) -> None:
    registered(store)
    if others:
        registered(store, THEIRS)
    upload = queue(store)
    handle = store.handle

    def overtaken(*orders: Order, **options: Any) -> list[Outcome]:
        if len(orders) > 1:
            monkeypatch.setattr(store, "handle", handle)
            assert erased(store)
        return handle(*orders, **options)

    monkeypatch.setattr(store, "handle", overtaken)
    imported(store, upload)
    assert person(store).organizations == (frozenset({2}) if others else frozenset())
    erasures = [event for _, event in store.open(store.read(0, 1_000)) if isinstance(event, contact.ContactErased)]
    assert [event.tags for event in erasures] == [0, 1], "the row brought a tag, which went again"
