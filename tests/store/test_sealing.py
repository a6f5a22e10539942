"""Personal data: unreadable at rest, opened with the contact's keys, gone with them."""

import base64
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from domain import contact
from domain.store.keyring import Keyring, WrongMasterKey
from domain.store.log import Store
from domain.store.mapper import UnknownEvent
from domain.store.order import Accepted
from tests.store.conftest import NOON, numbered, upsert

ADDRESS = "zebra.quagga@example.com"
REASON = "okapi newsletters are too frequent"


def test_bytes_on_disk_hold_no_address_and_no_reason(store: Store, database: str, home: Path) -> None:
    began = time.time() - 1
    store.handle(upsert(ADDRESS, status="unsubscribed", unsubscribe_reason=REASON, tags=("xylophone",)))
    store.handle(*(upsert(f"{n}.{ADDRESS}", tags=("xylophone",)) for n in range(300)))
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    written = [path for path in home.rglob("*") if path.is_file() and path.stat().st_mtime >= began]
    files = [path.read_bytes() for path in written]
    assert any(b"xylophone" in data for data in files), "the search would find what is there"
    for clear in (ADDRESS, "quagga", REASON, "okapi"):
        assert not any(clear.encode() in data for data in files)


def test_a_destroyed_key_redacts_and_never_stops_a_replay(
    store: Store, open_store: Callable[[], Store], database: str
) -> None:
    store.handle(upsert(ADDRESS, status="unsubscribed", unsubscribe_reason=REASON))
    with psycopg.connect(database) as connection:
        connection.execute("DELETE FROM keyring")
        connection.execute("UPDATE identities SET wrapped_key = NULL WHERE kind = 4")
    [loaded] = open_store().load(contact.decider, numbers=[1])
    assert loaded.state.email.redacted
    assert loaded.state.email.text == ""
    assert loaded.state.subscriptions[3, 2].status == "unsubscribed"
    assert loaded.state.subscriptions[3, 2].reason.redacted


def test_erasing_destroys_the_keys_with_the_event(store: Store, open_store: Callable[[], Store]) -> None:
    store.handle(upsert(ADDRESS, status="unsubscribed", unsubscribe_reason=REASON))
    erase = contact.EraseContact(at=NOON, organization_id=1)
    [outcome] = store.handle(numbered(1, erase))
    assert isinstance(outcome, Accepted)
    assert outcome.events
    fresh = open_store()
    texts = [
        value.text
        for _, event in fresh.open(fresh.read(0, 100))
        for value in (getattr(event, "email", None), getattr(event, "reason", None))
        if value
    ]
    assert texts
    assert set(texts) == {""}
    [again] = fresh.handle(upsert(ADDRESS))
    assert isinstance(again, Accepted)
    assert again.number == 2
    assert again.state.email.text == ADDRESS


@pytest.mark.usefixtures("store")
def test_the_master_key_opens_its_own_database_only(database: str) -> None:
    other = base64.b64encode(bytes(32)).decode()
    with pytest.raises(WrongMasterKey, match="not the key"):
        Store(database, other)
    for bad in ("", "short", base64.b64encode(bytes(31)).decode()):
        with pytest.raises(WrongMasterKey, match="32 bytes"), psycopg.connect(database) as connection:
            Keyring.open(connection, bad)


def test_an_event_of_the_future_is_named_not_skipped(store: Store, database: str) -> None:
    store.handle(upsert(ADDRESS))
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE log SET topic = 'contact.registered@99' WHERE notification_id = 1")
    with pytest.raises(UnknownEvent, match=r"contact\.registered@99"):
        store.open(store.read(0, 10))
