"""Finds the read models and installs their tables; safe to run again, and by several processes at once."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

import psycopg

import projections
from projections.analytics import install_views, views_installed
from projections.projection import Projection

SCHEMA = Path(__file__).with_name("schema.sql")
DELIVERIES = Path(__file__).with_name("webhook_deliveries.sql")
SCHEMA_LOCK = 4815162344

VERSIONS = "SELECT name, version FROM read_models"
HAS_HISTORY = "SELECT EXISTS (SELECT FROM log)"
REMEMBER_VERSION = """
INSERT INTO read_models (name, version, tables) VALUES (%s, %s, %s)
ON CONFLICT (name) DO UPDATE SET tables = excluded.tables WHERE read_models.tables <> excluded.tables
"""


def read_models() -> tuple[Projection, ...]:
    """Every read model: the ``PROJECTION`` of each module of this package that has one, by name."""
    modules = [import_module(f"{projections.__name__}.{module.name}") for module in iter_modules(projections.__path__)]
    return tuple(cast("Projection", vars(module)["PROJECTION"]) for module in modules if "PROJECTION" in vars(module))


def install_read_models(conninfo: str) -> None:
    """Create the tables that are missing, those of the engine and of every read model, and the views of analysts.

    Tables of another version than the code's are left as they are, for a rebuild to replace. A read model that is new
    to a log with a history gets tables that are empty and of version 0, for the same reason.
    """
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        connection.execute(SCHEMA.read_bytes())
        connection.execute(DELIVERIES.read_bytes())
        versions: dict[str, int] = dict(connection.execute(VERSIONS).fetchall())
        row = connection.execute(HAS_HISTORY).fetchone()
        for projection in read_models():
            new = 0 if row and row[0] else projection.version
            version = versions.get(projection.name, new)
            if version == projection.version or projection.name not in versions:
                connection.execute(projection.ddl)
                connection.execute(projection.indexes)
                connection.execute(REMEMBER_VERSION, (projection.name, version, list(projection.tables)))
        if not _await_rebuild(versions) and not views_installed(connection):
            install_views(connection)


def _await_rebuild(versions: Mapping[str, int]) -> bool:
    """Whether live tables are of another version: the views of this one stand on the tables that a rebuild brings."""
    return any(versions.get(projection.name, 0) not in {0, projection.version} for projection in read_models())
