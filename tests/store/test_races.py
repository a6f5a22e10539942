"""Many writers: no position missed, no second contact, and a conflict costs only its own command a retry."""

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Barrier, Event

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from domain import contact
from domain.decider import Decider
from domain.store.append import Append, Appended
from domain.store.log import Store
from domain.store.order import Accepted, Failed
from tests.store.conftest import upsert

WRITERS = 8
EVENTS = 50_000


def test_a_tailing_reader_misses_no_position(store: Store, open_store: Callable[[], Store]) -> None:
    done = Event()
    seen: list[int] = []

    def tail() -> None:
        after = 0
        while True:
            finished = done.is_set()
            batch = store.read(after, 5_000)
            seen.extend(event.position for event in batch)
            after = seen[-1] if seen else 0
            if finished and not batch:
                return

    def write(writer: int, own: Store) -> None:
        sizes = itertools.cycle((1, 7, 40, 300))
        written = 0
        while written < EVENTS // WRITERS:
            orders = [upsert(f"{writer}.{written + n}@example.com", tags=("t",)) for n in range(next(sizes))]
            for outcome in own.handle(*orders):
                assert isinstance(outcome, Accepted), outcome
                written += len(outcome.events)

    with ThreadPoolExecutor(WRITERS + 1) as threads:
        reader = threads.submit(tail)
        writers = [threads.submit(write, n, open_store()) for n in range(WRITERS)]
        wait(writers)
        done.set()
        for thread in (*writers, reader):
            thread.result()
    assert len(seen) >= EVENTS
    assert seen == list(range(1, store.recorder.head() + 1))


def test_concurrent_upserts_of_a_new_address_make_one_contact(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(WRITERS)]
    together = Barrier(32)

    def tag(n: int) -> Accepted:
        together.wait()
        [outcome] = stores[n % WRITERS].handle(upsert("ada@example.com", tags=(f"tag-{n}",)))
        assert isinstance(outcome, Accepted), outcome
        return outcome

    with ThreadPoolExecutor(32) as threads:
        outcomes = list(threads.map(tag, range(32)))
    assert len({outcome.number for outcome in outcomes}) == 1
    [loaded] = stores[0].load(contact.decider, keys=["ada@example.com"])
    assert loaded.state.tags[3] == {f"tag-{n}" for n in range(32)}


def test_a_conflict_costs_only_its_own_command_a_retry(
    store: Store, open_store: Callable[[], Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = open_store()
    store.handle(upsert("ada@example.com"), upsert("bob@example.com"))
    appends: list[tuple[int, Appended]] = []
    append = store.recorder.append

    def overtaken(batch: Append) -> Appended:
        if not appends:
            rival.handle(upsert("ada@example.com", tags=("rival",)), upsert("new@example.com", tags=("rival",)))
        appends.append((len(batch.heads), append(batch)))
        return appends[-1][1]

    monkeypatch.setattr(store.recorder, "append", overtaken)
    emails = ["ada@example.com", "bob@example.com", "new@example.com", "other@example.com"]
    outcomes = store.handle(*(upsert(email, tags=("mine",)) for email in emails))
    assert all(isinstance(outcome, Accepted) for outcome in outcomes)
    assert [(heads, len(written.lost)) for heads, written in appends] == [(4, 2), (2, 0)]
    tags = [loaded.state.tags[3] for loaded in store.load(contact.decider, keys=emails)]
    assert tags == [{"rival", "mine"}, {"mine"}, {"rival", "mine"}, {"mine"}]
    log = store.read(0, 100)
    assert [event.position for event in log] == list(range(1, len(log) + 1))
    for outcome in outcomes:
        assert isinstance(outcome, Accepted)
        assert log[outcome.position - 1].contact_id == outcome.number


def test_reasons_sealed_at_once_by_two_writers_stay_readable(open_store: Callable[[], Store]) -> None:
    stores = [open_store() for _ in range(4)]
    stores[0].handle(upsert("ada@example.com"))
    together = Barrier(4)

    def complain(n: int) -> None:
        together.wait()
        stores[n].handle(upsert("ada@example.com", status="unsubscribed", unsubscribe_reason=f"reason {n}"))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(complain, range(4)))
    log = stores[0].open(stores[0].read(0, 100))
    reasons = [reason.text for _, event in log if (reason := getattr(event, "reason", None))]
    assert reasons
    assert all(text.startswith("reason ") for text in reasons)


def test_endless_contention_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def always_lost(batch: Append) -> Appended:
        return Appended(0, frozenset(stream for stream, _ in batch.heads))

    monkeypatch.setattr(store.recorder, "append", always_lost)
    [outcome] = store.handle(upsert("ada@example.com"))
    assert isinstance(outcome, Failed)
    assert type(outcome.error).__name__ == "Contended"


def test_the_librarys_own_entry_keeps_order_and_versions(store: Store) -> None:
    decider: Decider[contact.Contact] = contact.decider
    store.handle(upsert("ada@example.com"))
    [taken, _] = store.recorder.select_events(store.read(0, 1)[0].stream)
    with pytest.raises(IntegrityError):
        store.recorder.insert_events([taken])
    follower = StoredEvent(
        taken.originator_id, 3, "contact.hard_bounced@1", b'{"at":"2026-05-24T12:00:00Z","organization_id":1}'
    )
    assert store.recorder.insert_events([follower]) == range(3, 4)
    assert store.load(decider, numbers=[1])[0].version == 3
