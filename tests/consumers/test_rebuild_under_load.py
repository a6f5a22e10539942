"""Every read model is rebuilt while commands, consumers and readers go on: nobody notices."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Event as Flag

import httpx
import psycopg
import pytest

from api.app import ROUTES
from api.demo import add_demo
from consumers.importer import Importer
from consumers.session import Connection, connect
from domain.catalog import DECIDERS
from domain.store.log import Store
from projections.projection import Projection
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import rebuild
from projections.schema import read_models
from tests.api.serving import Served, serving, settings_of
from tests.consumers.busy import KEY, SLUGS, Office
from tests.consumers.conftest import Source
from tests.consumers.running import running, wait_for
from tests.projections.conftest import MASTER_KEY
from tests.projections.histories import replayed, rows

MODELS = read_models()
SHRINKS = {"outbox"}
"""Tables from which rows go though nobody is erased."""

PATHS = [(route.projection, route.path) for route in ROUTES if route.method == "GET" and route.projection]
"""Every read over HTTP that a client can ask to reflect a position."""

REFLECTED = "SELECT min(position) FROM checkpoints WHERE projection = %s"
KINDS = "SELECT DISTINCT (('x' || left(originator_id::text, 8))::bit(32))::integer FROM log"
HEAD = "SELECT max(notification_id) FROM log"


class TableReader:
    """Reads all tables without pause: what a position showed once is there ever after."""

    def __init__(self, conninfo: str) -> None:
        self.rounds = 0
        self._conninfo = conninfo
        self._seen: dict[str, int] = {}

    def session(self, stop: Flag) -> None:
        with connect(self._conninfo, "test reads") as connection:
            while not stop.is_set():
                for model in MODELS:
                    self._see(f"position of {model.name}", one(connection, REFLECTED, model.name))
                    for table in model.tables:
                        self._see(table, self._count(connection, table))
                self.rounds += 1

    def _count(self, connection: Connection, table: str) -> int:
        try:
            row = connection.execute(f"SELECT count(*) FROM {table}", prepare=True).fetchone()
        except psycopg.Error as error:
            raise AssertionError(f"a read of {table} failed") from error
        return row[0] if row else 0

    def _see(self, what: str, found: int) -> None:
        before = self._seen.get(what, 0)
        assert found >= before or what in SHRINKS, f"{what} went back from {before} to {found}"
        self._seen[what] = found


class HttpReader:
    """Asks the API without pause, each time for a position that is reflected: nothing to wait for."""

    def __init__(self, served: Served, store: Store, contact: int) -> None:
        self.rounds = 0
        self._served = served
        self._conninfo = store.conninfo
        self._paths = [(model, path.format(contact_id=contact, external_key=KEY, key=KEY)) for model, path in PATHS]

    def session(self, stop: Flag) -> None:
        with connect(self._conninfo, "test asks") as connection, self._served.client() as client:
            while not stop.is_set():
                for model, path in self._paths:
                    self._ask(client, path, one(connection, REFLECTED, model))
                self.rounds += 1

    def _ask(self, client: httpx.Client, path: str, position: int) -> None:
        answer = client.get(path, params={**SLUGS, "min_position": position})
        assert answer.status_code == 200, (path, answer.text)
        assert int(answer.headers["datamailer-position"]) >= position, path


def one(connection: Connection, query: str, *given: str) -> int:
    row = connection.execute(query, given).fetchone()
    return row[0] if row else 0


@pytest.fixture
def office(source: Source, store: Store) -> Iterator[Office]:
    """A first round of everything, in all read models; then the projector and the importer go on."""
    add_demo(store)
    office = Office(store)
    with running(source.projector(*MODELS)):
        office.begin()
        wait_for(store, *(model.name for model in MODELS))
        yield office


def rebuilt(database: Database, connection: Connection, model: Projection) -> None:
    before = one(connection, HEAD)
    comparison = rebuild(database, model)
    assert comparison is None or comparison.equal, comparison
    assert one(connection, HEAD) > before, f"nobody wrote while {model.name} was rebuilt"


def test_nobody_notices(office: Office, store: Store) -> None:
    """Two are rebuilt at a time."""
    database = Database(store.conninfo, MASTER_KEY)
    tables = TableReader(store.conninfo)
    with serving(settings_of(store.conninfo)) as served, connect(store.conninfo, "test looks") as connection:
        http = HttpReader(served, store, one(connection, "SELECT min(contact_id) FROM contacts"))
        readers = (tables.session, http.session)
        with running(*readers, Importer(store).session, *office.sessions()), ThreadPoolExecutor(2) as pool:
            for done in [pool.submit(rebuilt, database, connection, model) for model in MODELS]:
                done.result()
        assert tables.rounds
        assert http.rounds
        wait_for(store, *(model.name for model in MODELS))
        kinds = {kind for (kind,) in connection.execute(KINDS)}
        assert kinds == DECIDERS.keys(), "tests/consumers/busy.py has a writer for each"
        live = rows(connection, *MODELS)
    assert [table for table in live if not live[table]] == [], "tests/consumers/busy.py has a writer for each"
    assert live == replayed(store.conninfo, store, *MODELS)
