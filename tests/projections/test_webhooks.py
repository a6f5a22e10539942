"""Who gets which event: handing out comes to what a walk through the log decides, in whatever steps, and only once."""

from __future__ import annotations

from itertools import chain
from unittest.mock import patch

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers import webhook_handout
from consumers.session import Connection
from domain import webhook as w
from domain.store.log import Store
from domain.store.order import Order
from domain.webhook import Webhook
from projections.webhooks import PROJECTION
from tests.projections.histories import a_contact_order, begin, clear, deliver, put
from tests.projections.webhook_histories import a_webhooks_course

NUMBER = (1 << 96) - 1

deeds = st.lists(a_contact_order(), min_size=1, max_size=4)
histories = st.lists(a_webhooks_course(21) | a_webhooks_course(22) | deeds, min_size=1, max_size=12).map(
    lambda parts: [*chain.from_iterable(parts)]
)


def wanted(store: Store) -> set[tuple[int, int]]:
    """The webhook and position of every delivery, by the rules alone."""
    hooks: dict[int, Webhook] = {}
    found: set[tuple[int, int]] = set()
    for recorded, event in store.open(store.read(0, 1_000_000)):
        name, own = recorded.topic.partition("@")[0], recorded.stream.int & NUMBER
        for number, hook in hooks.items():
            concerned = hook.active and hook.client_id == recorded.client_id and (not hook.types or name in hook.types)
            if recorded.kind == w.decider.kind and (number == own or isinstance(event, w.WebhookPinged)):
                concerned = number == own and isinstance(event, w.WebhookPinged)
            if concerned:
                found.add((number, recorded.position))
        if recorded.kind == w.decider.kind:
            hooks[own] = w.decider.evolve(hooks.get(own, w.decider.initial), event)
    return found


def handed_out(connection: Connection) -> list[tuple[int, int]]:
    return connection.execute("SELECT webhook_id, position FROM webhook_deliveries ORDER BY 1, 2").fetchall()


def forget(connection: Connection) -> None:
    clear(connection)
    connection.execute("DELETE FROM webhook_deliveries; UPDATE webhook_progress SET position = 0")


@given(
    history=histories, sizes=st.lists(st.integers(1, 9), max_size=6), step=st.integers(1, 7), back=st.integers(0, 50)
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_whoever_wants_an_event_when_it_happens_gets_it_once(
    store: Store, connection: Connection, history: list[Order], sizes: list[int], step: int, back: int
) -> None:
    forget(connection)
    events = put(store, connection, history)
    begin(connection, PROJECTION)
    expected, there = wanted(store), 0
    with patch.object(webhook_handout, "STEP", step):
        for size in [*sizes, len(events)]:
            deliver(connection, store, PROJECTION, events[there : there + size], prev=there)
            there = min(there + size, len(events))
            webhook_handout.hand_out(connection)
        while webhook_handout.hand_out(connection).more:
            pass
        assert handed_out(connection) == sorted(expected)
        connection.execute("UPDATE webhook_progress SET position = greatest(position - %s, 0)", (back,))
        while webhook_handout.hand_out(connection).more:
            pass
    assert handed_out(connection) == sorted(expected)
    assert connection.execute("SELECT position FROM webhook_progress").fetchone() == (len(events),)


def test_two_sessions_do_not_hand_out_twice(store: Store, connection: Connection) -> None:
    with connection.transaction():
        connection.execute(webhook_handout.REACHED)
        with store.recorder.datastore.get_connection() as other:
            assert webhook_handout.hand_out(other) == (False, True)
