"""Webhooks through the loss of processes and sessions, and past events that this version cannot read."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from threading import Event as Flag

from consumers import webhooks_out
from consumers.session import Connection
from domain.store.log import Store
from tests.consumers.hosts import Asked, Host
from tests.consumers.running import DEADLINE, running, wait_until
from tests.projections.conftest import MASTER_KEY
from tests.webhooks.scene import (
    Receiver,
    delivering,
    hook,
    met,
    projecting,
    settled,
    waiting,
)


def test_a_consumer_killed_in_the_middle_of_deliveries_loses_nothing(store: Store, host: Host) -> None:
    receiver, halting = Receiver(host), Flag()
    held: list[int] = []

    def answer(request: Asked) -> None:
        if not halting.is_set():
            held.append(1)
            halting.wait(DEADLINE)
        receiver.answer(request)

    host.pages["/hook"] = answer
    hook(store, receiver.url, types=("contact.tagged",))
    for number in range(10):
        met(store, f"person{number}@example.com", tags=("ml",))
    with running(projecting(store).session):
        with started(store) as consumer:
            wait_until(store.conninfo, lambda c: bool(held) and len(waiting(c)) == 10, "a call under way")
            consumer.send_signal(signal.SIGKILL)
            consumer.wait()
        halting.set()
        with started(store) as consumer:
            settled(store)
            consumer.send_signal(signal.SIGTERM)
            assert consumer.wait() == 0
    assert len({each.name for each in receiver.received}) == 10


def test_a_lost_session_loses_nothing(store: Store, host: Host, connection: Connection) -> None:
    receiver, halting = Receiver(host), Flag()

    def answer(request: Asked) -> None:
        halting.wait(DEADLINE)
        receiver.answer(request)

    host.pages["/hook"] = answer
    hook(store, receiver.url, types=("contact.tagged",))
    for number in range(5):
        met(store, f"person{number}@example.com", tags=("ml",))
    ended = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s AND datname = %s"
    with delivering(store):
        wait_until(store.conninfo, lambda c: bool(host.asked) and len(waiting(c)) == 5, "a call under way")
        connection.execute(ended, (webhooks_out.NAME, connection.info.dbname))
        halting.set()
        settled(store)
    assert len({each.name for each in receiver.received}) == 5


def test_an_event_that_cannot_be_read_stands_in_nobodys_way(store: Store, host: Host, connection: Connection) -> None:
    receiver = Receiver(host)
    number = hook(store, receiver.url, types=("contact.tagged",))
    for person in range(3):
        met(store, f"person{person}@example.com", tags=("ml",))
    [(strange,)] = connection.execute(
        "SELECT min(notification_id) FROM log WHERE topic = 'contact.tagged@1'"
    ).fetchall()
    connection.execute("UPDATE log SET topic = 'contact.tagged@99' WHERE notification_id = %s", (strange,))
    with delivering(store, retries=(0,)):
        settled(store)
    assert waiting(connection) == [(number, strange, 2, "unreadable event", True)]
    assert receiver.types == ["contact.tagged"] * 2


def started(store: Store) -> subprocess.Popen[bytes]:
    """The consumer in a process of its own."""
    settings = {"DATABASE_URL": store.conninfo, "MASTER_KEY": MASTER_KEY, "PRIVATE_HOSTS": "on", "LOG_LEVEL": "error"}
    return subprocess.Popen([sys.executable, "-m", "consumers", "webhooks-out"], env={**os.environ, **settings})
