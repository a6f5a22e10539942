"""Import jobs survive: a killed process, another worker, a lost database, a file that cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from consumers.importer import NAME, Importer
from domain import audience, client, import_job
from domain.import_job import Counts, ImportJob, QueueImport
from domain.import_row import ImportRow
from domain.store.importing import Importing
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome, Unavailable
from domain.store.uploads import Uploads
from tests.api.serving import MASTER_KEY_TEXT
from tests.waiting import wait_until

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    """A store in which organization 1 has the audience ``club`` and the client ``app``."""
    with closing(Store(database, MASTER_KEY_TEXT)) as store:
        context = Context(organization_id=1)
        commands = (
            (audience.decider, audience.CreateAudience(at=NOON, organization_id=1, slug="club", name="Club")),
            (client.decider, client.CreateClient(at=NOON, organization_id=1, slug="app", name="App")),
        )
        for decider, command in commands:
            store.handle(Order(decider=decider, command=command, context=context, key=f"1/{command.slug}"))
        yield store


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return Uploads(store.conninfo, store.keyring)


Queue = Callable[[str], UUID]


@pytest.fixture
def queue(store: Store, uploads: Uploads) -> Queue:
    """Queue a file for import."""

    def queued(text: str) -> UUID:
        data = text.encode()
        upload = uploads.add(data[start : start + 1000] for start in range(0, len(data), 1000))
        command = QueueImport(at=NOON, organization_id=1, client_id=1, audience="club", client="app")
        context = Context(organization_id=1, client_id=1)
        [outcome] = store.handle(Order(decider=import_job.decider, command=command, context=context, key=str(upload)))
        assert isinstance(outcome, Accepted)
        return upload

    return queued


def job_of(store: Store, upload: UUID) -> ImportJob:
    [loaded] = store.load(import_job.decider, keys=[str(upload)])
    state: ImportJob = loaded.state
    return state


def has_done(store: Store, upload: UUID, rows: int) -> bool:
    return job_of(store, upload).counts.total >= rows


def people(count: int) -> str:
    return "email,tags\n" + "".join(f"u{number}@x.org,one\n" for number in range(count))


@contextmanager
def importing(*stores: Store) -> Iterator[None]:
    """As many importers as stores, side by side."""
    stop = threading.Event()
    threads = [threading.Thread(target=Importer(store).session, args=(stop,)) for store in stores]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@contextmanager
def process(conninfo: str) -> Iterator[subprocess.Popen[bytes]]:
    """An importer in a process of its own."""
    environ = os.environ | {"DATABASE_URL": conninfo, "MASTER_KEY": MASTER_KEY_TEXT}
    running = subprocess.Popen([sys.executable, "-m", "consumers", "importer"], env=environ, stderr=subprocess.DEVNULL)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def test_a_killed_process_leaves_no_trace_in_counts_or_contacts(store: Store, queue: Queue) -> None:
    rows = 9_000
    upload = queue(people(rows) + "nobody,\nu1@x.org,\n")
    for reached in (1, 4_000, 6_000):
        with process(store.conninfo):
            wait_until(partial(has_done, store, upload, reached), "some rows to be done")
    assert job_of(store, upload).status == "running"
    with process(store.conninfo):
        wait_until(lambda: job_of(store, upload).status != "running", "the import to end")
    job = job_of(store, upload)
    assert (job.status, job.counts) == ("succeeded", Counts(total=rows + 2, created=rows, skipped=1, invalid=1))
    with psycopg.connect(store.conninfo) as connection:
        query = "SELECT count(*), count(DISTINCT contact_id) FROM log WHERE topic = 'contact.registered@1'"
        assert connection.execute(query).fetchone() == (rows, rows)


def test_a_chunk_that_was_written_but_not_recorded_is_counted_once(
    store: Store, queue: Queue, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database goes away between the two, again and again."""
    monkeypatch.setattr("consumers.import_run.CHUNK", 10)
    upload = queue(people(35) + "u3@x.org,\n")
    handle = store.handle

    chunks_until_loss = iter([1, 2, 1, 1, 2])

    def losing() -> Callable[..., list[Outcome]]:
        left = next(chunks_until_loss)

        def torn(*orders: Order, dry_run: bool = False) -> list[Outcome]:
            nonlocal left
            outcomes = handle(*orders, dry_run=dry_run)
            left -= len(orders) > 1
            return outcomes if left else [Failed(Unavailable())] * len(orders)

        return torn

    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        for _ in range(5):
            monkeypatch.setattr(store, "handle", losing())
            with pytest.raises(OperationalError):
                Importer(store).look(connection, threading.Event())
            assert job_of(store, upload).status == "running"
        monkeypatch.setattr(store, "handle", handle)
        Importer(store).look(connection, threading.Event())
    assert job_of(store, upload).counts == Counts(total=36, created=35, skipped=1)
    assert uploads.waiting() == []


def test_many_importers_share_the_jobs(store: Store, queue: Queue, uploads: Uploads) -> None:
    jobs = [queue(people(30)) for _ in range(6)]
    with closing(Store(store.conninfo, MASTER_KEY_TEXT)) as other, importing(store, other):
        wait_until(lambda: not uploads.waiting(), "all imports to end")
    counts = [job_of(store, upload).counts for upload in jobs]
    assert sum(found.created for found in counts) == 30
    assert sum(found.total for found in counts) == 180


def test_only_one_worker_has_a_job(store: Store, queue: Queue, uploads: Uploads) -> None:
    upload = queue(people(3))
    with psycopg.connect(store.conninfo, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(hashtextextended(%s, 0))", (f"{NAME} {upload}",))
        with psycopg.connect(store.conninfo, autocommit=True) as connection:
            Importer(store).look(connection, threading.Event())
        assert job_of(store, upload).status == "queued"
    with importing(store):
        wait_until(lambda: not uploads.waiting(), "the import to end")


def test_a_worker_that_lost_its_job_stops(
    store: Store, queue: Queue, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("consumers.import_run.CHUNK", 10)
    upload = queue(people(25))
    carry_out = Importing.carry_out

    def overtaken(self: Importing, rows: Sequence[ImportRow]) -> None:
        carry_out(self, rows)
        monkeypatch.undo()
        monkeypatch.setattr("consumers.import_run.CHUNK", 10)
        with psycopg.connect(store.conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_advisory_unlock_all()")
            other = Importer(store)
            other._take(connection, upload, threading.Event(), old=False)  # noqa: SLF001

    monkeypatch.setattr(Importing, "carry_out", overtaken)
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        Importer(store).look(connection, threading.Event())
    assert job_of(store, upload).counts == Counts(total=25, created=25)
    assert uploads.waiting() == []


def test_a_defect_fails_the_job_and_nobody_else(
    store: Store, queue: Queue, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken, good = queue(people(1)), queue(people(2))
    carry_out = Importing.carry_out

    def defect(self: Importing, rows: Sequence[ImportRow]) -> None:
        if len(rows) == 1:
            raise ZeroDivisionError
        carry_out(self, rows)

    monkeypatch.setattr(Importing, "carry_out", defect)
    with importing(store):
        wait_until(lambda: not uploads.waiting(), "both imports to end")
    assert (job_of(store, broken).status, job_of(store, broken).code) == ("failed", "internal_error")
    assert job_of(store, good).status == "succeeded"


def test_a_file_that_cannot_be_opened_fails_its_job(store: Store, queue: Queue, uploads: Uploads) -> None:
    upload = queue(people(100))
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        connection.execute("UPDATE import_files SET sealed = sealed || '\\x00'")
    with importing(store):
        wait_until(lambda: not uploads.waiting(), "the import to end")
    assert (job_of(store, upload).status, job_of(store, upload).code) == ("failed", "file_gone")


def test_a_file_whose_job_was_never_queued_goes_after_an_hour(store: Store, uploads: Uploads) -> None:
    fresh, old = uploads.add([b"email\n"]), uploads.add([b"email\n"])
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        connection.execute(
            "UPDATE import_uploads SET created_at = now() - interval '61 minutes' WHERE upload = %s", (old,)
        )
        Importer(store).look(connection, threading.Event())
    assert uploads.waiting() == [(fresh, False)]


def test_a_stopped_worker_leaves_the_job_for_the_next(store: Store, queue: Queue) -> None:
    upload = queue(people(3))
    stop = threading.Event()
    stop.set()
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        Importer(store).look(connection, stop)
    assert job_of(store, upload).status == "queued"
