"""What is to be built: by an operator's wish, or because the code has another version than the live tables."""

from __future__ import annotations

from typing import Final, NamedTuple

from psycopg.sql import SQL, Identifier

from projections.projection import Projection
from projections.rebuild.database import Connection
from projections.rebuild.generation import left_behind
from projections.rebuild.journal import Purpose
from projections.rebuild.refusals import RunningError
from projections.schema import read_models

CHANNEL: Final = "datamailer_rebuild"

ASK = """
INSERT INTO rebuilds (projection, asked, purpose, stage) VALUES (%(name)s, %(purpose)s, %(purpose)s, 'asked')
ON CONFLICT (projection) DO UPDATE SET asked = excluded.asked
WHERE rebuilds.asked IS NULL OR rebuilds.asked = excluded.asked
"""
NOTIFY = f"SELECT pg_notify('{CHANNEL}', %s)"
ASKED = "SELECT projection, asked FROM rebuilds WHERE asked IS NOT NULL ORDER BY updated_at"
VERSIONS = "SELECT name, version FROM read_models"
ALONE = "SELECT pg_try_advisory_xact_lock(hashtextextended('datamailer rebuild ' || %s, 0))"
FRESH = """
SELECT count(*) FROM rebuilds WHERE projection = %s AND stage <> 'done' AND updated_at > now() - interval '1 hour'
"""
ABANDON = """
UPDATE rebuilds SET stage = 'abandoned', updated_at = now()
WHERE projection = %s AND stage NOT IN ('done', 'failed', 'asked')
"""


class Request(NamedTuple):
    """A model, and what is to be done for it."""

    projection: Projection
    purpose: Purpose


def ask(connection: Connection, projection: Projection, purpose: Purpose) -> None:
    """Have the consumer ``rebuilder`` do it: it survives a restart of every process.

    Raises RunningError while another thing is asked for it, which would be lost.
    """
    if not connection.execute(ASK, {"name": projection.name, "purpose": purpose}).rowcount:
        raise RunningError(projection.name)
    connection.execute(NOTIFY, (projection.name,))


def due(connection: Connection) -> list[Request]:
    """What was asked for, then the models whose live tables are of another version."""
    known = {model.name: model for model in read_models()}
    asked = [Request(known[name], purpose) for name, purpose in connection.execute(ASKED) if name in known]
    versions = dict(connection.execute(VERSIONS).fetchall())
    outdated = [Request(model, "rebuild") for model in known.values() if versions.get(model.name, 0) != model.version]
    return asked + outdated


def clear_abandoned(connection: Connection) -> None:
    """Drop what killed rebuilds left and nobody went on with for an hour: copies of rows that no erasure reaches."""
    for name, schemas in left_behind(connection).items():
        with connection.transaction():
            alone = connection.execute(ALONE, (name,)).fetchone()
            fresh = connection.execute(FRESH, (name,)).fetchone()
            if alone and alone[0] and fresh and not fresh[0]:
                for schema in schemas:
                    connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))
                connection.execute(ABANDON, (name,))
