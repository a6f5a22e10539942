"""The read model of recipient lists: replay equals live in any division, and nothing personal outlives an erasure."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from consumers.session import Connection
from domain import contact, recipient, recipient_list
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from domain.store.partition import partition_of
from projections import recipient_lists
from projections.engine import Applied, Batch, apply
from tests.projections.histories import begin, clear, put, replayed, rows
from tests.store.conftest import NOON

CONTEXT = Context(organization_id=1, client_id=2)
PARTITIONS = 3
Step = tuple[str, int, str]

steps = st.lists(
    st.tuples(st.sampled_from(["put", "put", "remove", "erase"]), st.integers(0, 2), st.sampled_from("ab")), max_size=20
)


def carried_out(store: Store, steps: list[Step]) -> None:
    """Have two lists, and do to one what the steps say: a contact comes, goes, or is erased."""
    for key in ("course", "course:homework"):
        opened = recipient_list.OpenList(at=NOON, organization_id=1, client_id=2, key=key)
        handled(store, recipient_list.decider, opened, key=recipient_list.key_of(2, key))
    for what, person, source in steps:
        email, place = f"person{person}@example.com", recipient.key_of(1, source)
        if what == "erase":
            handled(store, contact.decider, contact.EraseContact(at=NOON, organization_id=1), key=email)
            continue
        if what == "put":
            register = contact.RegisterContact(at=NOON, organization_id=1, email=email)
            number = handled(store, contact.decider, register, key=email)
        [there] = store.load(recipient.decider, keys=[place])
        if there.state.active and (what == "remove" or there.state.contact_id != number):
            own = there.state.contact_id
            handled(store, recipient.decider, recipient.RemoveRecipient(at=NOON), key=place, contact_id=own)
        if what == "put":
            command = recipient.PutRecipient(
                at=NOON, list_id=1, contact_id=number, source_object_key=source, metadata={"name": email}
            )
            handled(store, recipient.decider, command, key=place, contact_id=number)


def handled(store: Store, decider: Any, command: Any, **named: Any) -> int:
    [outcome] = store.handle(Order(decider=decider, command=command, context=CONTEXT, **named))
    assert isinstance(outcome, Accepted), outcome
    return outcome.number


@given(steps=steps, batch=st.integers(1, 9))
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_partitions_in_any_order_come_to_the_same_and_forget_the_erased(
    database: str, store: Store, connection: Connection, steps: list[Step], batch: int
) -> None:
    clear(connection)
    carried_out(store, steps)
    events = put(store, connection, [])
    projection = recipient_lists.PROJECTION
    begin(connection, projection, PARTITIONS)
    for partition in reversed(range(PARTITIONS)):
        share = [event for event in events if partition_of(event, PARTITIONS) == partition]
        prev = 0
        for start in range(0, len(share), batch):
            part = share[start : start + batch]
            through = part[-1].position
            batches = [Batch(partition, prev, part, through)]
            assert apply(connection, store.unsealer, projection, batches, partitions=PARTITIONS) == Applied()
            prev = through
    assert rows(connection, projection) == replayed(database, store, projection)
    active = connection.execute("SELECT recipient_id, contact_id FROM recipients WHERE removed_at IS NULL").fetchall()
    assert sorted(active) == sorted(standing(store))
    kept = {place for (place,) in connection.execute("SELECT contact_id FROM recipients WHERE source_object_key <> ''")}
    alive = store.load(contact.decider, numbers=list(kept))
    assert all(person.state.email is not None for person in alive)


def standing(store: Store) -> list[tuple[int, int]]:
    """Who is on the list as the domain has it, without those who were erased since."""
    places = store.load(recipient.decider, keys=[recipient.key_of(1, source) for source in "ab"])
    there = [(place.number, place.state.contact_id) for place in places if place.state.active]
    people = store.load(contact.decider, numbers=[number for _, number in there])
    return [pair for pair, person in zip(there, people, strict=True) if person.state.email is not None]
