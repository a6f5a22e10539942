"""Where consumers get the log from: batches of events in order, by Kafka or straight from Postgres."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID

from consumers.session import Connection
from projections.engine import Batch

DIVISION = "SELECT generation, partitions FROM relay"


class Division(NamedTuple):
    """How the log is divided: into how many partitions, and which of the relay's generations says so."""

    generation: UUID | None
    partitions: int


UNDIVIDED = Division(None, 1)


def relayed_division(connection: Connection) -> Division | None:
    """The division that the relay publishes in; None before it ever ran."""
    row = connection.execute(DIVISION).fetchone()
    return Division(*row) if row else None


class Feed(Protocol):
    """Gives the events of the partitions it owns, each partition in order. It may repeat itself and leave gaps.

    A batch's ``prev`` tells a gap from a pause, and the log fills it: what a feed gives is only the fast way.
    """

    division: Division

    @property
    def owned(self) -> frozenset[int]:
        """The partitions that are this consumer's to follow, as of the last poll."""

    def poll(self, timeout: float) -> list[Batch]:
        """The next batches; none after so many seconds without an event. What it gave before is done with.

        Raises psycopg's OperationalError or KafkaError when the source is lost; the feed is then to be opened anew.
        """

    def close(self) -> None:
        """Let go of the partitions."""
