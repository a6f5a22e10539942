"""Writes a log of so many events, in several processes at once."""

from __future__ import annotations

import gc
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg

from bench.history.author import Author
from bench.history.season import Season
from bench.history.workers import side_by_side
from bench.scopes import Scope
from domain.store.log import Store
from projections.rebuild.database import Database

PEOPLE: Final = 20_000
"""Who come in a season."""
EVENTS_EACH: Final = 7.94
"""Events of a season for each of them, more or less: 4 of contacts, 4 of the campaign's messages."""
BEGIN: Final = datetime(2026, 1, 1, tzinfo=UTC)
SEASON: Final = timedelta(days=7)
KEPT: Final = ("log", "identities", "keyring")


def write_log(database: Database, scope: Scope, events: int, processes: int = 2) -> int:
    """Append at least so many events, hardly more; gives how many. Raises RowFailed.

    The log is then as one that autovacuum has been over.
    """
    before = head(database)
    shares = [events // processes + (place < events % processes) for place in range(processes)]
    side_by_side(work, [(database, scope, f"{before}-{place}", share) for place, share in enumerate(shares)])
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        for table in KEPT:
            connection.execute(f"VACUUM (ANALYZE) {table}")
        connection.execute("CHECKPOINT")
    return head(database) - before


def head(database: Database) -> int:
    """The log's last position."""
    with psycopg.connect(database.conninfo) as connection:
        row = connection.execute("SELECT coalesce(max(notification_id), 0) FROM log").fetchone()
    return int(row[0]) if row else 0


def work(database: Database, scope: Scope, name: str, events: int) -> None:
    """Be one writer. Raises RowFailed."""
    with closing(Store(database.conninfo, database.master_key)) as store:
        write_seasons(Author(store, scope), name, events)


def write_seasons(author: Author, name: str, events: int) -> None:
    """Have seasons happen until there are so many events. Raises RowFailed."""
    number = 0
    while (left := events - author.events) > 0:
        people = min(PEOPLE, int(left / EVENTS_EACH) + 1)
        gc.disable()  # it would walk all that is kept of the season, again and again
        Season(author, f"season-{name}-{number}", people, BEGIN + number * SEASON).happen()
        gc.enable()
        gc.collect()
        number += 1
