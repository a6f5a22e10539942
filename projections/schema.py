"""Finds the read models and installs their tables; safe to run again, and by several processes at once."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

import psycopg

import projections
from projections.analytics import install_views, views_installed
from projections.projection import Projection

SCHEMA = Path(__file__).with_name("schema.sql")
SCHEMA_LOCK = 4815162344

REMEMBER_VERSION = "INSERT INTO read_models (name, version) VALUES (%s, %s) ON CONFLICT DO NOTHING"


def read_models() -> tuple[Projection, ...]:
    """Every read model: the ``PROJECTION`` of each module of this package that has one, by name."""
    modules = [import_module(f"{projections.__name__}.{module.name}") for module in iter_modules(projections.__path__)]
    return tuple(cast("Projection", vars(module)["PROJECTION"]) for module in modules if "PROJECTION" in vars(module))


def install_read_models(conninfo: str) -> None:
    """Create the tables that are missing, those of the engine and of every read model, and the views of analysts."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        connection.execute(SCHEMA.read_bytes())
        for projection in read_models():
            connection.execute(projection.ddl)
            connection.execute(projection.indexes)
            connection.execute(REMEMBER_VERSION, (projection.name, projection.version))
        if not views_installed(connection):
            install_views(connection)
