"""The database gone and back again, under a running server (contract, Errors: 503)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from api.demo import add_demo
from config.local.postgres import Postgres
from config.local.program import Program
from domain.store.log import Store
from domain.store.schema import install_schema
from projections.schema import install_read_models
from tests.api.serving import COURSES, MASTER_KEY_TEXT, Served, serving, settings_of
from tests.waiting import wait_until


class Cluster:
    """A PostgreSQL of the test's own, which it may stop."""

    def __init__(self, home: Path) -> None:
        self.postgres = Postgres(home / "outage", home / "outage.log", durable=False)
        self.server: Program | None = None

    def start(self) -> None:
        self.server = self.postgres.prepare()
        self.server.start()
        self.server.wait_until(self.postgres.ready, 60)

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
        self.server = None


@pytest.fixture
def cluster(home: Path) -> Iterator[Cluster]:
    cluster = Cluster(home)
    cluster.start()
    yield cluster
    cluster.stop()
    cluster.postgres.clean_up()


@pytest.fixture
def served(cluster: Cluster) -> Iterator[Served]:
    conninfo = cluster.postgres.conninfo()
    install_schema(conninfo)
    install_read_models(conninfo)
    store = Store(conninfo, MASTER_KEY_TEXT)
    add_demo(store)
    store.close()
    with serving(settings_of(conninfo)) as running:
        yield running


def requests(http: httpx.Client) -> list[httpx.Response]:
    """One request of each kind that needs the store, at once."""
    person = {"email": "outage@example.com", **COURSES}
    wanted: list[Callable[[], httpx.Response]] = [
        lambda: http.post("/api/contacts", json=person),
        lambda: http.post("/api/contacts", json=person, headers={"Idempotency-Key": "outage"}),
        lambda: http.get("/api/contacts/status", params=person),
        lambda: http.put("/api/contacts/1/tags", json={**COURSES, "tags": ["x"]}),
        lambda: http.get("/api/contacts", params=COURSES),
    ]
    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(lambda request: request(), wanted))


def well(http: httpx.Client) -> bool:
    """Whether every kind of request is served."""
    return {response.status_code for response in requests(http)} == {200}


def test_an_outage_is_answered_and_survived(served: Served, cluster: Cluster) -> None:
    with served.client() as http:
        assert well(http)
        cluster.stop()
        for response in requests(http):
            assert response.status_code == 503, response.request.url
            assert response.json()["error"]["code"] == "unavailable"
            assert response.headers["Retry-After"] == "1"
        ready = http.get("/ready")
        assert (ready.status_code, ready.json()["reasons"]) == (503, ["store: cannot be reached"])
        assert "datamailer_store_up 0" in http.get("/metrics").text
        assert http.get("/health").status_code == 200
        assert http.post("/api/contacts", json={"email": "x"}).status_code == 400
        cluster.start()
        wait_until(lambda: well(http), "the API to recover")
        wait_until(lambda: "store" not in http.get("/ready").text, "the API to say so")
