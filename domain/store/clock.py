"""Where the log stood at a time: the position that it had come to by then, as the times of its events tell."""

from __future__ import annotations

from datetime import datetime

from eventsourcing.persistence import InterfaceError, OperationalError

from domain.store.log import Store
from domain.store.order import Unavailable

NEAR = 1_000
"""Events among which one at least is recorded as it happens: what SES tells of comes minutes or hours late."""

LATEST = "SELECT max(occurred_at) FROM log WHERE notification_id > %b AND notification_id <= %b"


def position_at(store: Store, time: datetime) -> int:
    """The position that the log had come to by the time, 0 before its beginning.

    Found by halving, in a few dozen reads of at most :data:`NEAR` events. Raises Unavailable.
    """
    try:
        low, high = 0, store.recorder.head()
        with store.recorder.datastore.get_connection() as connection:
            cursor = store.recorder.cursor(connection)
            while low < high:
                middle = (low + high + 1) // 2
                row = cursor.execute(LATEST, (max(0, middle - NEAR), middle), prepare=True).fetchone()
                if row is not None and row[0] is not None and row[0] > time:
                    high = middle - 1
                else:
                    low = middle
    except (OperationalError, InterfaceError) as error:
        raise Unavailable from error
    return low
