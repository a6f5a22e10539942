"""A store with tenants on a fresh database, a host for receivers, and consumers that look often."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from consumers import projector, session, webhooks_out
from consumers.session import Connection, connect
from domain.store.log import Store
from tests.consumers.hosts import Host, serving
from tests.projections.conftest import MASTER_KEY
from tests.webhooks.scene import tenants


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look more often than in production."""
    for module in (session, projector, webhooks_out):
        monkeypatch.setattr(module, "WAIT", 0.05)
    monkeypatch.setattr(webhooks_out, "TICK", 0.02)


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database, MASTER_KEY)
    tenants(store)
    yield store
    store.close()


@pytest.fixture
def connection(store: Store) -> Iterator[Connection]:
    with connect(store.conninfo, "test") as session:
        yield session


@pytest.fixture
def host() -> Iterator[Host]:
    with serving() as host:
        yield host
