"""A projection that notices every event given twice, never, or out of its contact's order."""

from __future__ import annotations

from collections.abc import Sequence

from consumers.session import Connection
from domain.store.log import Store
from projections import contacts
from projections.projection import Opened, Projection

TABLE = "CREATE TABLE tally (seen bigserial, position bigint NOT NULL, contact_id bigint NOT NULL)"


def fold(connection: Connection, events: Sequence[Opened], /) -> None:
    """Note every event, in the order in which they come."""
    with connection.cursor().copy("COPY tally (position, contact_id) FROM STDIN") as copy:
        for recorded, _ in events:
            copy.write_row((recorded.position, recorded.contact_id))


TALLY = Projection(name="tally", version=1, events=contacts.PROJECTION.events, ddl=TABLE, indexes="", fold=fold)


def assert_each_once_in_order(store: Store, connection: Connection) -> None:
    """Every event of a contact was given once, each contact's in the order of the log."""
    expected: dict[int, list[int]] = {}
    for event in TALLY.wanted(store.read(0, 1_000_000)):
        expected.setdefault(event.contact_id, []).append(event.position)
    rows = connection.execute("SELECT contact_id, array_agg(position ORDER BY seen) FROM tally GROUP BY contact_id")
    assert dict(rows.fetchall()) == expected
