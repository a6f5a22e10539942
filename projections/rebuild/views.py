"""Has views stand on the tables that took the place of others: a view holds on to a table, not to its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, LiteralString, NamedTuple

from psycopg.errors import InvalidTableDefinition, UndefinedColumn, UndefinedTable, WrongObjectType
from psycopg.sql import SQL, Identifier

from projections.analytics import SCHEMA as ANALYTICS
from projections.analytics import drop, existing, install_views, views_installed
from projections.rebuild.database import Connection
from projections.rebuild.refusals import DependentError

CHANGED: Final = (InvalidTableDefinition, UndefinedColumn, UndefinedTable, WrongObjectType)
"""What becomes of a view whose tables have other columns now, or that is no plain view."""

STANDING = """
SELECT DISTINCT n.nspname, v.relname, pg_get_viewdef(v.oid), coalesce(array_to_string(v.reloptions, ', '), '')
FROM pg_depend d
JOIN pg_rewrite r ON r.oid = d.objid AND d.classid = 'pg_rewrite'::regclass
JOIN pg_class v ON v.oid = r.ev_class
JOIN pg_namespace n ON n.oid = v.relnamespace
JOIN pg_class t ON t.oid = d.refobjid AND d.refclassid = 'pg_class'::regclass
WHERE t.relnamespace = %s::regnamespace AND t.relname = ANY (%s) AND t.oid <> v.oid AND v.relkind = ANY (%s)
ORDER BY 1, 2
"""
PLAIN: Final = ["v"]
ANY: Final = ["v", "m", "r"]
REPLACE: LiteralString = "CREATE OR REPLACE VIEW {} {} AS "


class View(NamedTuple):
    """A view as it can be made again. Its definition names its tables as they were found when it was read."""

    schema: str
    name: str
    definition: LiteralString
    options: LiteralString


def standing_on(connection: Connection, schema: str, tables: list[str], kinds: list[str] = PLAIN) -> list[View]:
    """The views that stand on tables of the schema; materialized ones and rules too, if asked for."""
    return [View(*row) for row in connection.execute(STANDING, (schema, tables, kinds))]


def renew(connection: Connection, views: list[View], retired: str, tables: list[str]) -> None:
    """Make views again over the tables that have the names now, within the caller's transaction.

    When the new tables do not bear them, those of analysts are all dropped. They come back changed: with this swap, or
    with the last one if several read models are of another version. Raises DependentError for views that are not the
    project's.
    """
    try:
        with connection.transaction():
            for view in views:
                options = SQL("WITH ({})").format(SQL(view.options)) if view.options else SQL("")
                statement = SQL(REPLACE).format(Identifier(view.schema, view.name), options)
                connection.execute(statement + SQL(view.definition))
    except CHANGED:
        refuse(standing_on(connection, ANALYTICS, sorted(existing(connection)), ANY))
        drop(connection, existing(connection))
    renew_analytics(connection)
    refuse(standing_on(connection, retired, tables, ANY))


def refuse(views: Iterable[View]) -> None:
    """Raises DependentError for those that are not of the project."""
    foreign = [f"{view.schema}.{view.name}" for view in views if view.schema != ANALYTICS]
    if foreign:
        raise DependentError(foreign)


def renew_analytics(connection: Connection) -> None:
    """Install the analysts' views if they are not, unless some of their tables are still of another version."""
    if not views_installed(connection):
        try:
            with connection.transaction():
                install_views(connection)
        except CHANGED:
            return
