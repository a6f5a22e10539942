"""A store on a fresh database, and orders to put to it."""

import base64
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from domain import contact
from domain.store.log import Store
from domain.store.order import Context, Order

MASTER_KEY = base64.b64encode(b"a master key of thirty-two bytes").decode()
CONTEXT = Context(organization_id=1, client_id=2)
NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)

Upsert = Callable[..., Order]


@pytest.fixture
def open_store(database: str) -> Iterator[Callable[[], Store]]:
    """Open one more store on the test's database, as another process would."""
    stores: list[Store] = []

    def opened() -> Store:
        stores.append(Store(database, MASTER_KEY))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(open_store: Callable[[], Store]) -> Store:
    """The test's first store."""
    return open_store()


def upsert(email: str, at: datetime = NOON, **said: Any) -> Order:
    """An upsert in the scope of audience 3 and client 2 of organization 1."""
    command = contact.UpsertContact(at=at, organization_id=1, audience_id=3, client_id=2, email=email, **said)
    return Order(decider=contact.decider, key=email, context=CONTEXT, command=command)


def numbered(number: int, command: Any) -> Order:
    """A command for a contact that is named by its id."""
    return Order(decider=contact.decider, number=number, context=CONTEXT, command=command)
