"""The histories from which the laws of read models are drawn tell of all that happens to lists and imports."""

from __future__ import annotations

from itertools import chain

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain.catalog import EVENTS
from domain.store.log import Store
from domain.store.order import Order
from tests.projections.histories import a_contact_order, clear, lists, put

KINDS = ("recipient.", "recipient_list.", "import_job.", "list_send.")
UNDONE = {"contact.subscription_restored@1", "contact.subscription_withdrawn@1"}

histories = st.lists(lists | lists | a_contact_order().map(lambda order: [order]), min_size=20, max_size=40)


def test_they_tell_of_every_event_of_lists_and_imports(store: Store, connection: Connection) -> None:
    told: set[str] = set()

    @given(parts=histories)
    @settings(max_examples=12, derandomize=True, database=None, suppress_health_check=list(HealthCheck), deadline=None)
    def tell(parts: list[list[Order]]) -> None:
        clear(connection)
        told.update(event.topic for event in put(store, connection, list(chain.from_iterable(parts))))

    tell()
    wanted = {topic for topic in EVENTS if topic.startswith(KINDS)} | UNDONE
    assert wanted - told == set()
