"""What operators see of read models: how far they are, of which version, and what is being built for them."""

from __future__ import annotations

from datetime import datetime

import msgspec
from psycopg.rows import dict_row

from projections.checkpoint import Lag, lags
from projections.rebuild.database import Connection
from projections.rebuild.difference import Outcome
from projections.rebuild.journal import Purpose, Stage
from projections.schema import read_models

HEAD = "SELECT coalesce(max(notification_id), 0) FROM log"
VERSIONS = "SELECT name, version FROM read_models"
# An advisory lock stands in pg_locks as the two halves of its number. Only the session that builds holds it.
REBUILDS = """
SELECT projection, purpose, stage, asked IS NOT NULL AS asked, EXISTS (
        SELECT FROM pg_locks, hashtextextended('datamailer rebuild ' || projection, 0) AS number
        WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND classid::bigint = number >> 32 & 4294967295 AND objid::bigint = number & 4294967295) AS running,
    events, done, rate AS events_per_second, (events - done) / nullif(rate, 0) AS seconds_left,
    began_at, updated_at, error, outcome
FROM rebuilds, LATERAL (SELECT done / nullif(extract(epoch FROM updated_at - stage_began_at), 0)::float8 AS rate) AS r
"""


class Rebuild(msgspec.Struct, frozen=True):
    """The last rebuild or verification of a model, or the one under way.

    ``done`` of ``events`` of its ``stage`` are behind it. ``running`` is false for one that was stopped or killed: the
    next one goes on with it; and for one that was ``asked`` for and has not begun. ``outcome`` is what a comparison of
    the live rows with the log found.
    """

    purpose: Purpose
    stage: Stage
    asked: bool
    running: bool
    events: int
    done: int
    events_per_second: float | None
    seconds_left: float | None
    began_at: datetime
    updated_at: datetime
    error: str | None
    outcome: Outcome | None


class Status(msgspec.Struct, frozen=True):
    """A read model. The live tables are of ``live_version``, 0 while they are empty though the log has a history.

    ``current`` says whether that is the version of this code: if not, they stand still until a rebuild. Up to
    ``position`` every event is in them; ``lag_events`` are not, the oldest of which is ``lag_seconds`` old (0 while no
    projector ever followed).
    """

    name: str
    version: int
    live_version: int
    current: bool
    position: int
    lag_events: int
    lag_seconds: float
    parked_position: int | None
    parked_error: str | None
    rebuild: Rebuild | None


def statuses(connection: Connection) -> list[Status]:
    """Every read model of this code, by name."""
    versions = dict(connection.execute(VERSIONS).fetchall())
    rows = connection.cursor(row_factory=dict_row).execute(REBUILDS)
    rebuilds = {row["projection"]: msgspec.convert(row, Rebuild) for row in rows}
    known = {lag.name: lag for lag in lags(connection)}
    row = connection.execute(HEAD).fetchone()
    unfollowed = Lag("", 0, row[0] if row else 0, 0.0, None, None)
    found = []
    for model in read_models():
        lag, live = known.get(model.name, unfollowed), versions.get(model.name, 0)
        status = Status(
            name=model.name,
            version=model.version,
            live_version=live,
            current=live == model.version,
            position=lag.position,
            lag_events=lag.events,
            lag_seconds=lag.seconds,
            parked_position=lag.parked_position,
            parked_error=lag.parked_error,
            rebuild=rebuilds.get(model.name),
        )
        found.append(status)
    return found
