"""Several projections at the price of one commit, and still each for itself when something fails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from consumers.session import Connection
from domain.store.log import Store
from projections import contacts, directory
from projections.engine import Applied, Batch, apply_all
from projections.projection import Opened, Projection
from tests.projections.histories import begin, put
from tests.store.conftest import upsert

PROJECTIONS = (contacts.PROJECTION, directory.PROJECTION)


def positions(connection: Connection) -> dict[str, tuple[int, int | None]]:
    rows = connection.execute("SELECT projection, position, parked_position FROM checkpoints")
    return {name: (position, parked) for name, position, parked in rows}


def commits(connection: Connection) -> int:
    row = connection.execute("SELECT count(DISTINCT xmin::text) FROM checkpoints").fetchone()
    return int(row[0]) if row else 0


def history(store: Store, connection: Connection) -> Batch:
    events = put(store, connection, [upsert(f"{n}@example.com") for n in range(5)])
    return Batch(0, 0, events, events[-1].position)


def test_one_commit_moves_all(store: Store, connection: Connection) -> None:
    for projection in PROJECTIONS:
        begin(connection, projection)
    batch = history(store, connection)
    tasks = [(projection, [batch]) for projection in PROJECTIONS]
    assert apply_all(connection, store.unsealer, tasks, partitions=1) == {p.name: Applied() for p in PROJECTIONS}
    assert positions(connection) == {p.name: (batch.through, None) for p in PROJECTIONS}
    assert commits(connection) == 1


class Broken(msgspec.Struct, frozen=True):
    """A fold that breaks on one position."""

    on: int

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:  # noqa: ARG002
        if any(recorded.position == self.on for recorded, _ in events):
            raise ValueError


def test_the_one_that_fails_parks_alone(store: Store, connection: Connection) -> None:
    batch = history(store, connection)
    broken: Projection = msgspec.structs.replace(
        contacts.PROJECTION, name="broken", fold=Broken(batch.events[3].position)
    )
    all_three: tuple[Any, ...] = (*PROJECTIONS, broken)
    for projection in all_three:
        begin(connection, projection)
    applied = apply_all(connection, store.unsealer, [(p, [batch]) for p in all_three], partitions=1)
    assert applied == {"contacts": Applied(), "directory": Applied(), "broken": Applied(parked=frozenset({0}))}
    expected = {"contacts": (batch.through, None), "directory": (batch.through, None)}
    assert positions(connection) == expected | {"broken": (3, 4)}


def test_each_event_is_decoded_once(store: Store, connection: Connection) -> None:
    batch = history(store, connection)
    twin = msgspec.structs.replace(contacts.PROJECTION, name="twin")
    seen: list[Opened] = []

    class Watching(msgspec.Struct, frozen=True):
        def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:  # noqa: ARG002
            seen.extend(events)

    watchers = [msgspec.structs.replace(p, fold=Watching()) for p in (contacts.PROJECTION, twin)]
    for projection in watchers:
        begin(connection, projection)
    apply_all(connection, store.unsealer, [(p, [batch]) for p in watchers], partitions=1)
    assert len(seen) == 2 * len(batch.events)
    assert len({id(event) for _, event in seen}) == len(batch.events)
