"""Rebuilds a read model while everything runs, or verifies it: the steps in their order, one at a time per model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Final

import psycopg
from psycopg.pq import TransactionStatus

from projections.projection import Projection
from projections.rebuild.build import NEAR, Build
from projections.rebuild.comparing import Comparing
from projections.rebuild.database import Connection, Database, prefer
from projections.rebuild.difference import Comparison
from projections.rebuild.filling import NAME
from projections.rebuild.generation import building
from projections.rebuild.journal import Purpose
from projections.rebuild.progress import Watch, unwatched
from projections.rebuild.refusals import (
    BrokenError,
    IncomparableError,
    RebuildError,
    RunningError,
    StoppedError,
    UnknownModelError,
)
from projections.rebuild.stopping import Stop, cancelling
from projections.rebuild.swapping import Swap
from projections.schema import read_models

FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 2.0
BEHIND_SECONDS: Final = 10.0
"""How long to wait for live rows that are not as far as the generation, before a rebuild goes on without comparing."""

ALONE = "SELECT pg_try_advisory_lock(hashtextextended('datamailer rebuild ' || %s, 0))"
NO_LONGER = "SELECT pg_advisory_unlock(hashtextextended('datamailer rebuild ' || %s, 0))"


def read_model(name: str) -> Projection:
    """The read model of a name. Raises UnknownModelError."""
    known = {model.name: model for model in read_models()}
    if name not in known:
        raise UnknownModelError(name, tuple(known))
    return known[name]


def rebuild(
    database: Database,
    projection: Projection,
    *,
    processes: int = 1,
    watch: Watch = unwatched,
    stop: Stop | None = None,
) -> Comparison | None:
    """Put a new generation in the place of the live one.

    Gives what differed between the two, None where they could not be compared. Raises RebuildError, of whatever kind,
    and psycopg's OperationalError; the live tables are then untouched, and the next rebuild goes on from there.
    """
    with _session(database, projection, watch, stop or Stop()) as (build, connection, live):
        with cancelling(connection, build.stop):
            _fill(build, "rebuild", processes)
            comparison = None
            if build.replaces_its_like:
                comparison = _compare(build, Comparing(connection, build.generation, live, build.fold))
            _swap(build, Swap(connection, build.generation, live, build.fold), comparison)
        build.generation.drop()
    return comparison


def verify(
    database: Database,
    projection: Projection,
    *,
    show_values: bool = False,
    processes: int = 1,
    watch: Watch = unwatched,
    stop: Stop | None = None,
) -> Comparison:
    """Compare the live rows with what the log makes of itself, and leave them as they are.

    Raises IncomparableError and what :func:`rebuild` raises.
    """
    with _session(database, projection, watch, stop or Stop()) as (build, connection, live):
        if not build.replaces_its_like:
            name = projection.name
            raise IncomparableError(f"the live rows of {name} are of another version, or no projector follows them")
        with cancelling(connection, build.stop):
            _fill(build, "verify", processes)
            comparing = Comparing(connection, build.generation, live, build.fold)
            comparison = _compare(build, comparing, show_values=show_values)
            if comparison and not comparison.equal:
                comparison = _again(build, comparing, show_values=show_values)
        if comparison is None:
            raise IncomparableError(f"the live rows of {projection.name} do not get as far as position {build.reached}")
        build.generation.drop()
        build.journal.end("done", outcome=comparison.outcome())
    return comparison


@contextmanager
def _session(
    database: Database, projection: Projection, watch: Watch, stop: Stop
) -> Iterator[tuple[Build, Connection, str]]:
    """Be the only one on the model; note what ends it but success. Raises RunningError, StoppedError, BrokenError."""
    name = projection.name
    stop.check()
    with database.connect(NAME) as connection, _alone(connection, name):
        live = prefer(connection, building(name))
        build = Build(database, projection, connection, watch, stop)
        try:
            yield build, connection, live
        except StoppedError:
            build.journal.end("stopped")
            raise
        except RebuildError as error:
            build.journal.end("failed", str(error))
            raise
        except psycopg.Error as error:
            if connection.closed:
                raise
            broken = BrokenError(name, error)
            build.journal.end("failed", str(broken))
            raise broken from error


def _fill(build: Build, purpose: Purpose, processes: int) -> None:
    """Have a generation that is near the live rows."""
    build.prepare(purpose)
    build.fill(processes)
    build.index()
    build.catch_up()


@contextmanager
def _alone(connection: Connection, name: str) -> Iterator[None]:
    """Hold the model's lock; a session that ends in any other way gives it back a little later. Raises RunningError."""
    row = connection.execute(ALONE, (name,)).fetchone()
    if not (row and row[0]):
        raise RunningError(name)
    try:
        yield
    finally:
        if connection.info.transaction_status == TransactionStatus.IDLE:
            connection.execute(NO_LONGER, (name,))


def _compare(build: Build, comparing: Comparing, *, show_values: bool = False) -> Comparison | None:
    """Compare, once the live rows are as far as the generation; None when they do not get there."""
    build.enter("comparing")
    deadline = monotonic() + BEHIND_SECONDS
    while (found := comparing.compare(build.reached, show_values=show_values)) is None and monotonic() < deadline:
        build.note(0, 0, "the live rows")
        build.stop.wait(FIRST_PAUSE)
    return found


def _again(build: Build, comparing: Comparing, *, show_values: bool) -> Comparison | None:
    """Compare once more, a little later.

    A person erased after the live checkpoints reads differently in both: the live rows do not know it yet, and the
    rebuilt ones lack the key already.
    """
    deadline, head = monotonic() + BEHIND_SECONDS, build.head
    while build.target < head and monotonic() < deadline:
        build.note(0, 0, "the live rows")
        build.stop.wait(FIRST_PAUSE)
    build.catch_up()
    return _compare(build, comparing, show_values=show_values)


def _swap(build: Build, swap: Swap, comparison: Comparison | None) -> None:
    """Swap as soon as nobody holds the live tables for long."""
    build.enter("swapping")
    pause = FIRST_PAUSE
    outcome = comparison.outcome() if comparison else None
    while (holders := swap.holders()) or swap.attempt(build.reached, outcome) is None:
        build.note(0, 0, ", ".join(holders) or "a moment without readers")
        build.stop.wait(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        if build.target - build.reached > NEAR:
            build.advance(build.target)
