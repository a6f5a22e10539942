"""Databases with a history: the service's own before the service starts, and others that nobody follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Final

import psycopg
from psycopg.sql import SQL, Identifier

from api.directory import loaded
from bench.history.workers import side_by_side
from bench.history.writing import write_log
from bench.scopes import Scope, scope
from bench.stack import Stack
from config.local.postgres import NAME as SERVICE
from domain.store.log import Store
from domain.store.schema import install_schema
from projections.rebuild.database import Database
from projections.rebuild.rebuilding import read_model, rebuild
from projections.schema import install_read_models, read_models

LOG_ALONE: Final = "bench_log"
"""A copy of the log, for rows that append to it and read it while nobody follows."""
LONGEST: Final = "contact_timeline"
"""Takes as long as all others together."""
PREPARED: Final = "seconds in which read models were filled"
"""Under this name the stand keeps what :func:`prepare` gives."""
CREATE: Final = SQL("CREATE DATABASE {}")
COPY: Final = SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
SECONDS: Final = "SELECT projection, extract(epoch FROM updated_at - began_at) FROM rebuilds"
SERVER: Final = "postgres"
"""A database of every server, to stand in while others are copied."""

Say = Callable[[str], None]


def history_scope(stack: Stack) -> Scope:
    """The scope of the demo data in which histories happen."""
    with closing(Store(stack.conninfo, stack.master_key)) as store:
        return scope(loaded(store), "dtc-courses", "dtc-courses")


def with_history(stack: Stack, name: str, events: int) -> Database:
    """A new database on the stack's server with a log of so many events, its read models empty. Raises RowFailed."""
    with psycopg.connect(stack.conninfo, autocommit=True) as connection:
        connection.execute(CREATE.format(Identifier(name)))
    database = stack.database(name)
    install_schema(database.conninfo)
    install_read_models(database.conninfo)
    write_log(database, history_scope(stack), events)
    return database


def prepare(stack: Stack, events: int, say: Say) -> dict[str, float]:
    """Give the service a past of so many events, and read models that show it; gives the seconds that each model took.

    To be called before it starts. Raises RowFailed.
    """
    database = stack.database()
    with told(f"a log of {events:,} events, written", say):
        write_log(database, history_scope(stack), events)
    with told("the log copied", say), psycopg.connect(stack.database(SERVER).conninfo, autocommit=True) as connection:
        connection.execute(COPY.format(Identifier(LOG_ALONE), Identifier(SERVICE)))
    with told("read models filled, two at a time", say):
        seconds = filled(database)
    with psycopg.connect(database.conninfo, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    return seconds


@contextmanager
def told(what: str, say: Say) -> Iterator[None]:
    """Tell how long a ``with`` block took."""
    began = time.monotonic()
    yield
    say(f"{what}: {time.monotonic() - began:.0f} s")


def filled(database: Database) -> dict[str, float]:
    """Rebuild every read model, two at a time; gives how long each took. Raises RowFailed."""
    others = [model.name for model in read_models() if model.name != LONGEST]
    side_by_side(fill, [(database, [LONGEST]), (database, others)])
    with psycopg.connect(database.conninfo) as connection:
        return {name: float(seconds) for name, seconds in connection.execute(SECONDS)}


def fill(database: Database, names: Sequence[str]) -> None:
    """Rebuild one after the other. Raises RebuildError."""
    for name in names:
        rebuild(database, read_model(name))
