"""Many streams in one query: identity, keys, snapshot, events and a remembered answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from domain.decider import Decider, Event
from domain.store import arrays
from domain.store.arrays import BinaryArray
from domain.store.found import Found, StoredRow, Wanted
from domain.store.keyring import Keyring
from domain.store.mapper import Mapper
from domain.store.order import Order
from domain.store.recorder import LogRecorder
from domain.store.work import CONTACT, ContactKeys, Work

NO_SNAPSHOT = 0
"""A shape that no snapshot has."""

LOAD = """
WITH wanted AS MATERIALIZED (
    SELECT place, k.kind, shape, i.number IS NULL AS fresh, stream_id(k.kind, n.number) AS stream,
        CASE WHEN k.kind = 4 THEN i.number ELSE nullif(contact, 0) END AS contact,
        CASE WHEN k.kind = 4 AND i.number IS NULL THEN (
            SELECT h.hard_bounced::integer + 2 * h.complained::integer FROM suppression_hashes h WHERE h.key = k.key
        ) END AS kept
    FROM unnest(%b, %b, %b, %b) WITH ORDINALITY AS k (kind, key, contact, shape, place)
    LEFT JOIN LATERAL (
        SELECT number FROM identities WHERE identities.kind = k.kind AND identities.key = k.key LIMIT 1) i ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(i.number, CASE WHEN %b THEN nextval(('number_' || k.kind)::regclass) END) AS number) n
    UNION ALL
    SELECT place, kind, shape, false, stream, nullif(contact, 0), NULL
    FROM unnest(%b, %b, %b, %b, %b) AS n (kind, stream, contact, shape, place)
)
SELECT w.place, w.stream, w.fresh, own.wrapped_key, ring.organizations, ring.keys,
    s.originator_version, s.state, e.originator_version, e.topic, e.state, e.notification_id,
    (SELECT max(notification_id) FROM log), w.kept
FROM wanted w
LEFT JOIN LATERAL (SELECT wrapped_key FROM identities WHERE kind = 4 AND number = w.contact LIMIT 1) own ON true
LEFT JOIN LATERAL (
    SELECT array_agg(organization_id) AS organizations, array_agg(wrapped_key) AS keys
    FROM keyring WHERE contact_id = w.contact) ring ON true
LEFT JOIN snapshots s ON s.originator_id = w.stream AND s.shape = w.shape
LEFT JOIN log e ON e.originator_id = w.stream AND e.originator_version > coalesce(s.originator_version, 0)
ORDER BY w.place, e.originator_version
"""


def load_parameters(wanted: Sequence[Wanted], *, claim: bool) -> tuple[BinaryArray | bool, ...]:
    """The parameters of :data:`LOAD`. ``claim`` draws numbers for keys that have none. Keyed ones must come first."""
    keyed = [w for w in wanted if w.key is not None]
    named = [(place, w) for place, w in enumerate(wanted, 1) if w.key is None]
    return (
        arrays.integers(w.kind for w in keyed),
        arrays.uuids(w.key for w in keyed if w.key is not None),
        arrays.bigints(w.contact_id for w in keyed),
        arrays.integers(w.shape for w in keyed),
        claim,
        arrays.integers(w.kind for _, w in named),
        arrays.uuids(w.stream for _, w in named if w.stream is not None),
        arrays.bigints(w.contact_id for _, w in named),
        arrays.integers(w.shape for _, w in named),
        arrays.bigints(place for place, _ in named),
    )


def found_streams(rows: Sequence[tuple[Any, ...]]) -> list[Found]:
    """Rows of :data:`LOAD`, gathered to one entry for each wanted stream."""
    found: list[Found] = []
    place = 0
    for row in rows:
        if row[0] != place:
            place = row[0]
            keys = dict(zip(row[4], row[5], strict=True)) if row[4] else {}
            if row[3] is not None:
                keys[0] = row[3]
            snapshot = None if row[6] is None else (row[6], row[7])
            events: list[StoredRow] = []
            found.append(Found(row[1], row[2], keys, snapshot, events, row[12] or 0, row[13] or 0))
        if row[8] is not None:
            events.append(row[8:12])
    return found


class Workload:
    """Loads the streams that orders are for, each once, and folds them."""

    def __init__(self, recorder: LogRecorder, mapper: Mapper, keyring: Keyring) -> None:
        self._recorder = recorder
        self._mapper = mapper
        self._keyring = keyring

    def load(self, orders: Mapping[int, Order], *, claim: bool) -> dict[int, Work]:
        """The stream of each order by the order's place; orders for one stream share it.

        ``claim`` draws numbers for new keys. Raises UnknownEvent and the library's persistence errors.
        """
        alike: dict[tuple[object, ...], list[int]] = {}
        for place, order in orders.items():
            name = (order.decider.kind, order.key, order.number, order.contact_id)
            alike.setdefault(name, []).append(place)
        groups = sorted(alike.values(), key=lambda places: orders[places[0]].key is None)
        firsts = [orders[places[0]] for places in groups]
        wanted = [self._wanted(order.decider, order.key, order.number, order.contact_id) for order in firsts]
        works: dict[int, Work] = {}
        by_stream: dict[int, Work] = {}
        for places, first, each, found in zip(groups, firsts, wanted, self._find(wanted, claim=claim), strict=True):
            work = self._work(first.decider, each, found)
            if found.stream is not None:
                work = by_stream.setdefault(found.stream.int, work)
            for place in places:
                works[place] = work
        for work in dict.fromkeys(works.values()):
            work.replay(self._mapper)
        return works

    def find(
        self,
        decider: Decider[Any],
        keys: Sequence[str],
        numbers: Sequence[int],
        *,
        snapshots: bool,
        until: Callable[[Event, int], bool] | None,
    ) -> list[Work]:
        """The streams of keys and numbers, keys first; ``until`` cuts each stream at a moment.

        Raises UnknownEvent and the library's persistence errors.
        """
        shape = decider.snapshot_version if snapshots else NO_SNAPSHOT
        names = [(key, None) for key in keys] + [(None, number) for number in numbers]
        wanted = [self._wanted(decider, key, number, 0)._replace(shape=shape) for key, number in names]
        unique = list(dict.fromkeys(wanted))
        found = zip(unique, self._find(unique, claim=False), strict=True)
        works = {name: self._work(decider, name, stream) for name, stream in found}
        for work in works.values():
            work.replay(self._mapper, until)
        return [works[name] for name in wanted]

    def _wanted(self, decider: Decider[Any], key: str | None, number: int | None, contact_id: int) -> Wanted:
        shape = decider.snapshot_version
        if key is not None:
            return Wanted(decider.kind, shape, contact_id, self._keyring.digest(decider.name, key))
        number = number or 0
        contact_id = number if decider.kind == CONTACT else contact_id
        return Wanted(decider.kind, shape, contact_id, None, UUID(int=decider.kind << 96 | number))

    def _work(self, decider: Decider[Any], wanted: Wanted, found: Found) -> Work:
        return Work(decider, wanted.key, wanted.contact_id, found, ContactKeys(self._keyring, found.wrapped_keys))

    def _find(self, wanted: Sequence[Wanted], *, claim: bool) -> list[Found]:
        """What is found of each; keyed ones must come first."""
        if not wanted:
            return []
        with self._recorder.datastore.get_connection() as connection:
            cursor = self._recorder.cursor(connection)
            cursor.execute(LOAD, load_parameters(wanted, claim=claim), prepare=True)
            return found_streams(cursor.fetchall())
