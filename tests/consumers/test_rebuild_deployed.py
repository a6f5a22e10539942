"""A release that changes a read model: the one before feeds and serves its table until the swap, and readers go on."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from msgspec.structs import replace

from api.demo import add_demo
from consumers.session import Connection, connect
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.rebuild.database import Database
from projections.rebuild.progress import Progress
from projections.rebuild.rebuilding import rebuild
from tests.api.serving import serving, settings_of
from tests.consumers.busy import BATCH, SLUGS, Office
from tests.consumers.conftest import Direct
from tests.consumers.running import running, wait_for
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import replayed, rows

NEWER = replace(PROJECTION, version=2, ddl=PROJECTION.ddl.replace(") WITH", ", more integer) WITH", 1))
VERSION = "SELECT version FROM read_models WHERE name = 'contacts'"


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with connect(store.conninfo, "test") as connection:
        yield connection


@pytest.fixture
def http(store: Store) -> Iterator[httpx.Client]:
    """A client of the API of the release before."""
    add_demo(store)
    with serving(settings_of(store.conninfo)) as served, served.client() as client:
        yield client


def version(connection: Connection) -> int:
    row = connection.execute(VERSION).fetchone()
    assert row is not None
    return int(row[0])


def shown(http: httpx.Client, position: int) -> int:
    """How many people the export shows, once it reflects the position."""
    answer = http.get("/api/contacts", params={**SLUGS, "limit": 500, "min_position": position})
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["datamailer-position"]) >= position
    return int(answer.json()["count"])


def test_the_old_one_is_fed_and_read_until_the_new_one_takes_its_place(
    store: Store, connection: Connection, http: httpx.Client
) -> None:
    office, seen = Office(store), []

    def watch(progress: Progress) -> None:
        """Write at each new step, and read that at once."""
        if progress.stage not in seen:
            seen.append(progress.stage)
            office.people(len(seen))
            assert shown(http, store.recorder.head()) == there + BATCH * len(seen)
            assert version(connection) == 1

    with running(Direct(store).projector(PROJECTION)):
        there = shown(http, store.recorder.head())
        assert rebuild(Database(store.conninfo, MASTER_KEY), NEWER, watch=watch) is None
        assert seen == ["filling", "indexing", "catching up", "swapping"]
        assert version(connection) == 2
        swapped = store.recorder.head()
        assert shown(http, swapped) == there + BATCH * len(seen)
        office.people(100)
    with running(Direct(store).projector(NEWER)):
        wait_for(store, "contacts")
        assert shown(http, store.recorder.head()) == there + BATCH * (len(seen) + 1)
    live = rows(connection, NEWER)
    assert live == replayed(store.conninfo, store, NEWER)
