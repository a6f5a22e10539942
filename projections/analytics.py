"""Installs the schema ``analytics``: documented views over the read models, and the role that may read them alone."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg.errors import InvalidTableDefinition
from psycopg.sql import SQL, Identifier, Literal

SCHEMA: Final = "analytics"
VIEWS_SQL: Final = Path(__file__).with_name("analytics.sql").read_bytes()
VIEWS: Final = frozenset(re.findall(r"VIEW analytics\.(\w+) AS", VIEWS_SQL.decode()))
FINGERPRINT: Final = f"Documented views for analysts ({sha256(VIEWS_SQL).hexdigest()[:16]})."

THERE = "SELECT relname FROM pg_class WHERE relnamespace = to_regnamespace('analytics') AND relkind = 'v'"
MARK = "SELECT obj_description(to_regnamespace('analytics'), 'pg_namespace')"

Connection = psycopg.Connection[Any]


def install_views(connection: Connection) -> None:
    """Make every view anew, over the tables that have the names now, within the caller's transaction if there is one.

    A rebuild calls it once its tables took the place of the old ones: a view stands on a table, not on its name. A view
    whose columns changed is dropped first, which psycopg's DependentObjectsStillExist forbids while somebody's own
    view stands on it.
    """
    with connection.transaction():
        drop(connection, existing(connection) - VIEWS)
        try:
            with connection.transaction():
                connection.execute(VIEWS_SQL)
        except InvalidTableDefinition:
            drop(connection, existing(connection))
            connection.execute(VIEWS_SQL)
        connection.execute(SQL("COMMENT ON SCHEMA {} IS {}").format(Identifier(SCHEMA), Literal(FINGERPRINT)))


def views_installed(connection: Connection) -> bool:
    """Whether the views of this version are there: then their readers need not be made to wait."""
    row = connection.execute(MARK).fetchone()
    return row is not None and row[0] == FINGERPRINT and existing(connection) == VIEWS


def existing(connection: Connection) -> frozenset[str]:
    """The views that are there."""
    return frozenset(name for (name,) in connection.execute(THERE))


def drop(connection: Connection, names: frozenset[str]) -> None:
    """Drop views together, since they may stand on one another."""
    if names:
        views = SQL(", ").join(Identifier(SCHEMA, name) for name in sorted(names))
        connection.execute(SQL("DROP VIEW {}").format(views))
