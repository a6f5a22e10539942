"""Members are imported from a URL: fetched once, sealed while they wait, exact however often the process dies."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from random import Random
from uuid import UUID

import psycopg
import pytest
from eventsourcing.persistence import OperationalError

from consumers import fetcher
from consumers.fetcher import Fetcher
from consumers.outside import Outside
from consumers.projector import Projector, direct_feed
from consumers.session import connect
from domain import import_job, recipient, recipient_list
from domain.import_job import Counts, RowError
from domain.store.log import Store
from domain.store.order import Failed, Order, Outcome, Unavailable
from domain.store.uploads import Uploads
from projections.schema import read_models
from tests.api.serving import MASTER_KEY_TEXT
from tests.consumers.hosts import Asked, Host, serving
from tests.consumers.list_jobs import CONTEXT, OUTSIDE, Jobs, member
from tests.consumers.running import running
from tests.consumers.test_importer import has_done, process
from tests.waiting import wait_until


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    with closing(Store(database, MASTER_KEY_TEXT)) as store:
        opened = recipient_list.OpenList(at=datetime.now(UTC), organization_id=1, client_id=2, key="course")
        store.handle(Order(decider=recipient_list.decider, command=opened, context=CONTEXT, key="2/course"))
        yield store


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return Uploads(store.conninfo, store.keyring)


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host


@pytest.fixture
def projected(store: Store) -> Iterator[None]:
    """The read models follow the log."""
    with running(Projector(store.conninfo, direct_feed(store.conninfo), store.unsealer, read_models()).session):
        yield


@pytest.fixture
def jobs(store: Store, uploads: Uploads, host: Host) -> Jobs:
    return Jobs(store, uploads, host)


def test_members_come_change_and_stay(jobs: Jobs) -> None:
    first = jobs.done(member(1, metadata={"n": 1}), member(2), "nonsense", "", member(1))
    assert (first.status, first.counts) == ("succeeded", Counts(total=4, created=2, invalid=2))
    assert first.errors == (
        RowError(3, 3, {"line": "invalid_json"}),
        RowError(4, 5, {"source_object_key": "duplicate"}),
    )
    assert jobs.members("user-1", "user-2") == [1, 2]
    same = jobs.done(member(1, metadata={"n": 1}), member(2, metadata={}))
    assert same.counts == Counts(total=2, unchanged=2)
    again = jobs.done(member(1), member(2, "Other@example.com"), member(3, metadata={"n": 3}))
    assert again.counts == Counts(total=3, created=1, updated=1, unchanged=1)
    assert jobs.members("user-1", "user-2", "user-3") == [1, 3, 4]
    last = jobs.done(member(1, metadata={"n": 2}), member(3))
    assert last.counts == Counts(total=2, updated=1, unchanged=1)


@pytest.mark.usefixtures("projected")
def test_members_that_the_file_does_not_name_are_taken_off(jobs: Jobs) -> None:
    jobs.done(*map(member, range(5)))
    wrong = member(2) | {"email": "nobody"}
    tried = jobs.done(member(1), wrong, remove_absent=True, dry_run=True)
    assert (tried.counts, tried.removed) == (Counts(total=2, unchanged=1, invalid=1), 3)
    assert jobs.members("user-0", "user-9") == [1, 0]
    done = jobs.done(member(1), member(9), wrong, remove_absent=True)
    assert (done.counts, done.removed) == (Counts(total=3, created=1, unchanged=1, invalid=1), 3)
    assert jobs.members("user-0", "user-1", "user-2", "user-3", "user-4", "user-9") == [0, 2, 3, 0, 0, 6]
    back = jobs.done(member(0), remove_absent=True)
    assert (back.counts.created, back.removed, jobs.members("user-0")) == (1, 3, [1])


@pytest.mark.usefixtures("projected")
def test_who_came_after_the_request_stays(jobs: Jobs) -> None:
    jobs.done(member(1))
    key = jobs.queue(member(1), path="/later", remove_absent=True)
    command = recipient.PutRecipient(at=datetime.now(UTC), list_id=1, contact_id=1, source_object_key="late")
    late = Order(decider=recipient.decider, command=command, context=CONTEXT, key="1/late", contact_id=1)
    jobs.store.handle(late)
    jobs.fetch()
    wait_until(partial(jobs.ended, key), "the import to end")
    assert (jobs.state(key).removed, jobs.members("late")) == (0, [1])


def test_a_dry_run_only_counts(jobs: Jobs) -> None:
    jobs.done(member(1, metadata={"n": 1}))
    head = jobs.store.recorder.head()
    rows = (member(1), member(2), member(1, "new@example.com") | {"source_object_key": "x"}, member(1))
    done = jobs.done(*rows[:3], rows[3] | {"source_object_key": "y"}, dry_run=True)
    assert done.counts == Counts(total=4, created=3, unchanged=1)
    changed = jobs.done(member(1, "new@example.com"), dry_run=True)
    assert changed.counts == Counts(total=1, updated=1)
    assert jobs.done(member(1, metadata={"n": 2}), dry_run=True).counts == Counts(total=1, updated=1)
    assert {event.kind for event in jobs.store.read(head, 100)} == {import_job.decider.kind}


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (lambda asked: asked.say(404, b"{}"), "http_404"),
        (lambda asked: asked.say(302, Location="/members"), "http_302"),
        (lambda asked: asked.say(200, b"<html>"), "not_ndjson"),
        (lambda asked: asked.say(200, b"\n"), "empty"),
        (lambda asked: asked.say(200, b"{}\n", Content_Length="9"), "unreachable"),
        (lambda asked: asked.say(200, b"", Content_Length=str(600 << 20)), "too_large"),
    ],
)
def test_a_file_that_cannot_be_had_fails_its_job(
    jobs: Jobs, host: Host, page: Callable[[Asked], object], code: str
) -> None:
    host.pages["/members"] = page
    key = jobs.queue(member(1))
    jobs.fetch()
    job = jobs.state(key)
    assert (job.status, job.code, job.counts, job.started_at) == ("failed", code, Counts(), None)
    assert jobs.uploads.waiting(expected=True) == []
    with psycopg.connect(jobs.store.conninfo) as connection:
        assert connection.execute("SELECT FROM import_files").fetchall() == []


def test_hosts_inside_are_not_asked_unless_that_is_allowed(jobs: Jobs, host: Host) -> None:
    key = jobs.queue(member(1))
    with connect(jobs.store.conninfo, "test fetches") as connection:
        Fetcher(jobs.store, Outside(private_hosts=False)).look(connection, threading.Event())
    assert (jobs.state(key).code, host.asked) == ("unsupported", [])


def test_a_fetch_that_was_stopped_begins_again(
    jobs: Jobs, host: Host, uploads: Uploads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetcher, "WAIT", 0)
    monkeypatch.setattr(fetcher, "BLOCK", 1)
    stop = threading.Event()

    def stops(asked: Asked) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\n\r\n{}\n")
        stop.set()
        asked.drip(b"\n")

    host.pages["/members"] = stops
    key = jobs.queue()
    with connect(jobs.store.conninfo, "test fetches") as connection:
        Fetcher(jobs.store, OUTSIDE).look(connection, stop)
    assert (jobs.state(key).status, len(uploads.waiting(expected=True))) == ("queued", 1)
    host.pages["/members"] = lambda asked: asked.say(200, json.dumps(member(1)).encode())
    jobs.fetch()
    jobs.carry_out()
    assert (jobs.state(key).counts, uploads.waiting()) == (Counts(total=1, created=1), [])


def test_an_address_that_was_never_queued_goes_after_an_hour(jobs: Jobs, uploads: Uploads) -> None:
    fresh, old = uploads.expect("https://example.com/"), uploads.expect("https://example.com/")
    with psycopg.connect(jobs.store.conninfo, autocommit=True) as connection:
        query = "UPDATE import_uploads SET created_at = now() - interval '61 minutes' WHERE upload = %s"
        connection.execute(query, (old,))
    jobs.fetch()
    assert uploads.waiting(expected=True) == [(fresh, False)]


@pytest.mark.usefixtures("projected")
def test_a_killed_process_leaves_no_trace_in_counts_or_members(jobs: Jobs, uploads: Uploads) -> None:
    rows = 5_000
    jobs.done(member(rows + 1), member(rows + 2), member(0, "first@example.com"))
    key = jobs.queue(*map(member, range(rows)), "nonsense", path="/many", remove_absent=True)
    jobs.fetch()
    for reached in (1, 3_000):
        with process(jobs.store.conninfo):
            wait_until(partial(has_done, jobs.store, UUID(key), reached), "some rows to be done")
    with process(jobs.store.conninfo):
        wait_until(lambda: not uploads.waiting(), "the import to end")
    job = jobs.state(key)
    assert (job.status, job.code) == ("succeeded", "")
    assert (job.counts, job.removed) == (Counts(total=rows + 1, created=rows - 1, updated=1, invalid=1), 2)
    with psycopg.connect(jobs.store.conninfo) as connection:
        query = "SELECT count(*), count(DISTINCT originator_id) FROM log WHERE topic = 'recipient.added@1'"
        assert connection.execute(query).fetchone() == (rows + 3, rows + 2)


@pytest.mark.usefixtures("projected")
def test_what_was_done_but_not_told_is_counted_once(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    """The database goes away between the two, wherever that is."""
    monkeypatch.setattr("consumers.list_import.CHUNK", 4)
    jobs.done(*map(member, range(20, 30)), member(3, "other@example.com"))
    handle = jobs.store.handle
    key = jobs.queue(*map(member, range(9)), path="/torn", remove_absent=True)
    jobs.fetch()
    chance, losses = Random(7), 0  # noqa: S311

    def torn(*orders: Order, dry_run: bool = False) -> list[Outcome]:
        nonlocal losses
        outcomes = handle(*orders, dry_run=dry_run)
        lost = chance.random() < 0.3
        losses += lost
        return [Failed(Unavailable())] * len(orders) if lost else outcomes

    def ended() -> bool:
        try:
            return jobs.ended(key)
        except OperationalError:
            return False

    monkeypatch.setattr(jobs.store, "handle", torn)
    wait_until(ended, "the import to end")
    assert losses > 3
    job = jobs.state(key)
    assert (job.counts, job.removed) == (Counts(total=9, created=8, updated=1), 10)


def test_no_word_of_the_file_outlives_the_job(jobs: Jobs) -> None:
    jobs.done(member(1, "secretive@example.com", metadata={"name": "Secretive"}))
    with psycopg.connect(jobs.store.conninfo) as connection:
        tables = ("import_uploads", "import_files", "log")
        text = " ".join(str(connection.execute(f"SELECT t::text FROM {t} t").fetchall()) for t in tables)
    for word in ("secretive", "Secretive", "127.0.0.1", "user-1"):
        assert word not in text
        assert word.encode().hex() not in text
