"""A small history: a log as the service itself would have written it, and read models that a rebuild makes of it."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from bench.history.author import Author
from bench.history.databases import fill, filled
from bench.history.writing import write_log, write_seasons
from bench.people import upserts
from bench.row import RowFailed
from bench.rows.rebuilds import rebuilt
from bench.scopes import Scope
from domain import contact
from domain.store.log import Store
from domain.store.order import Accepted
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import read_model, verify
from projections.schema import read_models

MASTER_KEY = "a2V5IGZvciB0ZXN0cyBvbmx5LCBub3RoaW5nIGVsc2U="
SCOPE = Scope("dtc-courses", "dtc-courses", "", organization_id=1, audience_id=11, client_id=21)
EVENTS = 2_000


@pytest.fixture
def database(database: str) -> Database:
    return Database(database, MASTER_KEY)


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    with closing(Store(database.conninfo, MASTER_KEY)) as store:
        yield store


def rows(database: Database, sql: Any) -> list[Any]:
    with psycopg.connect(database.conninfo) as connection:
        return connection.execute(sql).fetchall()


def test_two_writers_leave_no_gap_and_keep_every_stream_in_order(database: Database) -> None:
    written = write_log(database, SCOPE, EVENTS, processes=2)
    assert EVENTS <= written < EVENTS * 1.05
    assert rows(database, "SELECT min(notification_id), max(notification_id), count(*) FROM log") == [
        (1, written, written)
    ]
    assert rows(
        database,
        """
        SELECT count(*) FROM (
            SELECT originator_version - row_number() OVER (PARTITION BY originator_id ORDER BY notification_id) AS off
            FROM log) AS streams WHERE off <> 0
        """,
    ) == [(0,)]


def test_every_read_model_is_built_from_it_and_found_equal(database: Database, store: Store) -> None:
    author = Author(store, SCOPE)
    write_seasons(author, "here", EVENTS)
    assert set(filled(database)) == {model.name for model in read_models()}
    for model in read_models():
        assert verify(database, model).equal
    [(people, subscribed)] = rows(
        database,
        "SELECT count(*), count(*) FILTER (WHERE status = 'subscribed' AND verified_at > '-infinity') FROM contacts",
    )
    assert (people, subscribed) == rows(
        database,
        """
        SELECT count(*) FILTER (WHERE topic LIKE 'contact.registered@%'),
            count(*) FILTER (WHERE topic LIKE 'contact.subscribed@%')
                - count(*) FILTER (WHERE topic LIKE 'contact.unsubscribed@%')
        FROM log
        """,
    )[0]
    assert author.events == rows(database, "SELECT count(*) FROM log")[0][0]


def test_the_campaigns_of_it_are_over(database: Database, store: Store) -> None:
    write_seasons(Author(store, SCOPE), "here", EVENTS)
    fill(database, ["campaigns", "campaign_recipients", "outbox"])
    assert rows(
        database, "SELECT status, snapshot_recipients = (SELECT count(*) FROM campaign_recipients) FROM campaigns"
    ) == [("sent", True)]
    assert rows(database, "SELECT count(*) FROM outbox") == [(0,)]
    [(sent, delivered, bounced)] = rows(
        database, "SELECT sent_count, delivered_count, bounce_count FROM campaign_counters"
    )
    assert sent == delivered + bounced > 0


def test_the_service_goes_on_where_it_ends(store: Store) -> None:
    write_seasons(Author(store, SCOPE), "here", EVENTS)
    before = store.recorder.head()
    known, new = store.handle(*upserts(SCOPE, ["season-here-0-0@example.com", "new@example.com"]))
    assert isinstance(known, Accepted)
    assert isinstance(new, Accepted)
    assert (known.events, known.state.email.text) == ((), "season-here-0-0@example.com")
    assert (len(new.events), new.position) == (3, before + 3)
    [then] = store.load(contact.decider, numbers=[known.number], as_of=1)
    assert then.version <= 1


def test_a_rebuild_tells_its_own_events_and_how_long_its_stages_took(database: Database, store: Store) -> None:
    write_seasons(Author(store, SCOPE), "here", EVENTS)
    done = rebuilt(database, read_model("contacts"), {"contact.registered": 200, "message.sent": 900}, 1, 0)
    assert done.events == 200
    assert done.rate == pytest.approx(200 / done.seconds)
    assert done.stages.startswith("filling ")
    assert "swapping " in done.stages
    assert str(done).startswith("200 events; seconds filling ")
    assert done.python > 0 <= done.postgres


def test_a_process_that_fails_is_told_of(database: Database) -> None:
    lost = Database(database.conninfo, "bm90IHRoZSBrZXkgb2YgdGhpcyBkYXRhYmFzZSwgYnV0IDMyIQ==")
    with closing(Store(database.conninfo, MASTER_KEY)), pytest.raises(RowFailed, match="work"):
        write_log(lost, SCOPE, EVENTS, processes=1)
