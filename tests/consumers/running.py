"""Consumers that run beside a test, and waiting for what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Event as Flag
from threading import Thread
from time import monotonic

from consumers.running import keep_running
from consumers.session import Connection, connect, wait
from domain import contact
from domain.store.log import Store
from domain.store.order import Accepted, Order
from projections.checkpoint import CHECKPOINT_CHANNEL, is_caught_up
from projections.contacts import PROJECTION
from tests.consumers.tally import TALLY, assert_each_once_in_order
from tests.projections.histories import replayed, rows
from tests.store.conftest import NOON, numbered, upsert

DEADLINE = 60.0


@contextmanager
def running(*sessions: Callable[[Flag], None]) -> Iterator[None]:
    """Run the sessions in threads, again and again as a process would; what breaks one breaks the test."""
    stop = Flag()
    broken: list[Exception] = []

    def run(session: Callable[[Flag], None]) -> None:
        try:
            keep_running("test", session, stop)
        except Exception as error:  # noqa: BLE001 - raised again below
            broken.append(error)

    threads = [Thread(target=run, args=(session,)) for session in sessions]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    if broken:
        raise broken[0]


def wait_until(conninfo: str, holds: Callable[[Connection], bool], what: str = "what was waited for") -> None:
    """Wait for a condition, looked at whenever a checkpoint moves. Fails when it does not come true."""
    with connect(conninfo, "test waits") as connection:
        connection.execute(f"LISTEN {CHECKPOINT_CHANNEL}")
        deadline = monotonic() + DEADLINE
        while not holds(connection):
            assert monotonic() < deadline, f"{what} did not happen"
            wait(connection, 0.1)


def wait_for(store: Store, *projections: str) -> None:
    """Wait until the projections reflect the log's head; contacts and tally by default."""
    head = store.recorder.head()
    names = projections or (PROJECTION.name, TALLY.name)
    wait_until(store.conninfo, lambda c: all(is_caught_up(c, name, head) for name in names), f"{names} at {head}")


def write(store: Store, people: Sequence[int], tag: str | None = None) -> list[int]:
    """Upsert people by number; gives the positions."""
    orders = [upsert(f"person{n}@example.com", tags=(tag,) if tag else ()) for n in people]
    return handled(store, orders)


def tag(store: Store, numbers: Sequence[int], name: str) -> list[int]:
    """Tag contacts one by one, each in an append of its own."""
    said = {"organization_id": 1, "audience_id": 3, "client_id": 2}
    positions = []
    for number in numbers:
        positions += handled(store, [numbered(number, contact.TagContact(at=NOON, tag=name, **said))])
    return positions


def handled(store: Store, orders: Sequence[Order]) -> list[int]:
    outcomes = store.handle(*orders)
    assert all(isinstance(outcome, Accepted) for outcome in outcomes), outcomes
    return [outcome.position for outcome in outcomes if isinstance(outcome, Accepted)]


def assert_exact(store: Store) -> None:
    """Every event was taken once and in order, and the contacts came out as one quiet replay makes them."""
    with connect(store.conninfo, "test compares") as connection:
        assert_each_once_in_order(store, connection)
    assert_equals_replay(store)


def assert_equals_replay(store: Store) -> None:
    """The contacts came out as one quiet replay makes them."""
    with connect(store.conninfo, "test compares") as connection:
        live = rows(connection, PROJECTION)
    assert live == replayed(store.conninfo, store, PROJECTION)
