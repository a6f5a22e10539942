"""One API server on a database with the demo data, for all tests that do not need one of their own."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest
from psycopg import sql

from api.cli import main
from api.demo import KEYS, add_demo
from config.local.postgres import Postgres
from consumers.__main__ import projector
from domain.store.log import Store
from tests.api.serving import COURSES, MASTER_KEY_TEXT, OPERATOR_KEY, Served, serving, settings_of
from tests.consumers.running import running

numbers = itertools.count(1)

Upsert = Callable[..., httpx.Response]


@contextmanager
def with_demo(postgres: Postgres, template: str, name: str) -> Iterator[str]:
    """A database with the demo data, for the length of a ``with`` block."""
    words = {"name": sql.Identifier(name), "template": sql.Identifier(template)}
    with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {name} TEMPLATE {template}").format(**words))
        try:
            store = Store(postgres.conninfo(name), MASTER_KEY_TEXT)
            add_demo(store)
            store.close()
            yield postgres.conninfo(name)
        finally:
            connection.execute(sql.SQL("DROP DATABASE {name} WITH (FORCE)").format(**words))


@pytest.fixture(scope="session")
def demo_database(postgres: Postgres, template: str) -> Iterator[str]:
    """A database with the demo data, shared by the tests that leave tenants and demo contacts as they are."""
    with with_demo(postgres, template, "api_tests") as conninfo:
        yield conninfo


@pytest.fixture(scope="session")
def served(demo_database: str) -> Iterator[Served]:
    """The server."""
    with serving(settings_of(demo_database)) as running:
        yield running


@pytest.fixture(scope="session")
def http(served: Served) -> Iterator[httpx.Client]:
    """The client ``dtc-courses`` of the API."""
    with served.client() as client:
        yield client


@pytest.fixture(scope="session")
def labs(served: Served) -> Iterator[httpx.Client]:
    """The client ``asl-platform``, of another organization."""
    with served.client(KEYS["asl-platform"]) as client:
        yield client


@pytest.fixture(scope="session")
def operator(served: Served) -> Iterator[httpx.Client]:
    """An operator."""
    with served.client(OPERATOR_KEY) as client:
        yield client


@pytest.fixture(scope="session")
def anybody(served: Served) -> Iterator[httpx.Client]:
    """Somebody without a key."""
    with served.client(None) as client:
        yield client


@pytest.fixture(scope="session")
def projected(demo_database: str) -> Iterator[None]:
    """The read models follow the log."""
    with running(projector(settings_of(demo_database))):
        yield


@pytest.fixture
def email() -> str:
    """An address that nobody has used."""
    return f"person-{next(numbers)}@example.com"


@pytest.fixture
def upsert(http: httpx.Client, email: str) -> Upsert:
    """Upsert the test's contact in the courses scope."""

    def upserted(**said: object) -> httpx.Response:
        return http.post("/api/contacts", json={"email": email, **COURSES, **said})

    return upserted


@pytest.fixture
def contact_id(upsert: Upsert) -> int:
    """The id of the test's contact, which has a pending subscription."""
    number: int = upsert().json()["contact_id"]
    return number


@pytest.fixture
def run(demo_database: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command on the demo data; gives its status and what it wrote."""
    monkeypatch.setenv("DATABASE_URL", demo_database)
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)

    def ran(*words: object) -> tuple[int, str, str]:
        status = main([str(word) for word in words])
        written = capsys.readouterr()
        return status, written.out, written.err

    return ran
