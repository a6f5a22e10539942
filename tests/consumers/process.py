"""A projector in a process of its own, which stands still in the middle of the batch that holds a given position."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from threading import Event as Flag

import msgspec

from consumers.projector import Projector, direct_feed, kafka_feed
from consumers.running import keep_running
from consumers.session import Connection
from domain.store.log import Store
from projections.contacts import PROJECTION
from projections.projection import Opened
from tests.consumers.tally import TALLY
from tests.projections.conftest import MASTER_KEY

GATE = 20260524


class Halting(msgspec.Struct, frozen=True):
    """The contacts' fold, which then waits for a lock that the test holds."""

    at: int

    def __call__(self, connection: Connection, events: Sequence[Opened], /) -> None:
        PROJECTION.fold(connection, events)
        if any(recorded.position >= self.at for recorded, _ in events):
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (GATE,))


def main(conninfo: str, at: str, servers: str = "", topic: str = "") -> None:
    feed = kafka_feed(servers, topic, f"{topic}.projector") if servers else direct_feed(conninfo)
    store = Store(conninfo, MASTER_KEY)
    halting = msgspec.structs.replace(PROJECTION, fold=Halting(int(at)))
    keep_running("test", Projector(conninfo, feed, store.unsealer, [TALLY, halting]).session, Flag())


if __name__ == "__main__":
    main(*sys.argv[1:])
