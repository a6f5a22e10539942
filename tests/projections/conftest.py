"""A store and a session on a fresh database."""

import base64
from collections.abc import Iterator

import pytest

from consumers.session import Connection, connect
from domain.store.log import Store

MASTER_KEY = base64.b64encode(b"a master key of thirty-two bytes").decode()


@pytest.fixture
def store(database: str) -> Iterator[Store]:
    store = Store(database, MASTER_KEY)
    yield store
    store.close()


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    with connect(database, "test") as connection:
        yield connection
