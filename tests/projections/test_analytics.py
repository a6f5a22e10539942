"""What analysts may read, and that it stays theirs through changes of what stands below."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from consumers.session import Connection, read
from domain.store.log import Store
from projections.analytics import VIEWS, install_views, views_installed
from projections.schema import install_read_models, read_models
from tests.projections.histories import EVERYTHING, begin, deliver
from tests.store.conftest import upsert

NOT_FOR_ANALYSTS = {"api_keys", "outbox", "webhook_stretches"}
"""Tables of read models that no view shows: keys, and what serves the service alone."""

COMMENTS = """
SELECT c.relname, a.attname, coalesce(col_description(c.oid, a.attnum), '') FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum >= 0
WHERE c.relnamespace = 'analytics'::regnamespace
UNION ALL
SELECT relname, '', coalesce(obj_description(oid, 'pg_class'), '') FROM pg_class
WHERE relnamespace = 'analytics'::regnamespace
"""
BELOW = """
SELECT DISTINCT d.refobjid::regclass::text FROM pg_depend d
JOIN pg_rewrite r ON r.oid = d.objid JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = 'analytics'::regnamespace AND d.refclassid = 'pg_class'::regclass
"""


@pytest.fixture
def filled(connection: Connection, store: Store) -> Connection:
    """A database with some contacts in its read models."""
    store.handle(
        upsert("ada@example.com", status="subscribed", verified=True, tags=("ml", "ai")),
        upsert("bob@example.org", status="unsubscribed", unsubscribe_reason="too much"),
        upsert("eve@example.com"),
    )
    for projection in read_models():
        begin(connection, projection)
        deliver(connection, store, projection, read(connection, 0, EVERYTHING))
    return connection


@pytest.fixture
def analyst(database: str, filled: Connection) -> Iterator[Any]:
    """An analyst's session: what a login to which the role was granted can do."""
    del filled
    with psycopg.connect(database, autocommit=True) as session:
        session.execute("SET SESSION AUTHORIZATION datamailer_analyst")
        yield session


def test_analysts_read_the_views(analyst: Any) -> None:
    rows = analyst.execute(
        "SELECT contact_id, client_id, status, tags, verified_at IS NOT NULL FROM analytics.subscriptions ORDER BY 1"
    ).fetchall()
    assert rows == [
        (1, 2, "subscribed", ["ai", "ml"], True),
        (2, 2, "unsubscribed", [], False),
        (3, 2, "pending", [], False),
    ]
    totals = "SELECT contacts, subscribed, pending, unsubscribed, verified FROM analytics.subscription_totals"
    assert analyst.execute(totals).fetchall() == [(3, 1, 1, 1, 1)]
    assert analyst.execute("SELECT tag FROM analytics.subscription_tags ORDER BY 1").fetchall() == [("ai",), ("ml",)]
    domains = "SELECT email_domain, count(*) FROM analytics.contacts GROUP BY 1 ORDER BY 1"
    assert analyst.execute(domains).fetchall() == [("example.com", 2), ("example.org", 1)]


def test_no_view_shows_an_address_or_anybody_s_words(analyst: Any) -> None:
    for view in VIEWS:
        shown = str(analyst.execute(f"SELECT v::text FROM analytics.{view} v").fetchall())
        assert "ada@" not in shown
        assert "too much" not in shown
        columns = analyst.execute(f"SELECT * FROM analytics.{view} LIMIT 0").description
        assert not {column.name for column in columns} & {"email", "unsubscribe_reason", "validation_reason"}


def test_analysts_reach_nothing_else(analyst: Any, database: str) -> None:
    with psycopg.connect(database) as owner:
        tables = [name for (name,) in owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    assert {"log", "identities", "keyring", "contacts", "clients"} <= set(tables)
    for table in tables:
        with pytest.raises(errors.InsufficientPrivilege):
            analyst.execute(f"SELECT FROM public.{table}")
    for statement in (
        "CREATE TABLE public.mine ()",
        "CREATE VIEW analytics.mine AS SELECT 1",
        "DELETE FROM analytics.organizations",
        "UPDATE analytics.organizations SET name = 'x'",
        "SELECT log_forget(1, 1, 0)",
    ):
        with pytest.raises(errors.InsufficientPrivilege):
            analyst.execute(statement)


def test_the_role_cannot_log_in(analyst: Any) -> None:
    role = "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'datamailer_analyst'"
    assert analyst.execute(role).fetchone() == (False, False, False, False)


def test_everything_is_documented(connection: Connection) -> None:
    comments = connection.execute(COMMENTS).fetchall()
    assert {view for view, _, _ in comments} == VIEWS
    assert [(view, column) for view, column, comment in comments if not comment.endswith(".")] == []


def test_every_read_model_has_a_view(connection: Connection) -> None:
    """A new table gets a view in projections/analytics.sql, or is named above."""
    below = {name for (name,) in connection.execute(BELOW)}
    for projection in read_models():
        assert set(projection.tables) <= below | NOT_FOR_ANALYSTS, projection.name


def test_installing_again_leaves_readers_alone(database: str, connection: Connection, analyst: Any) -> None:
    """Replacing a view would wait for those who read it."""
    assert views_installed(connection)
    with analyst.transaction():
        analyst.execute("SELECT FROM analytics.subscriptions")
        install_read_models(database)


def test_views_follow_the_tables_that_a_rebuild_puts_in_place(filled: Connection, analyst: Any) -> None:
    count = "SELECT count(*) FROM analytics.subscriptions"
    assert analyst.execute(count).fetchone() == (3,)
    with filled.transaction():
        filled.execute("CREATE SCHEMA retired")
        filled.execute("ALTER TABLE contacts SET SCHEMA retired")
        filled.execute("CREATE TABLE contacts (LIKE retired.contacts INCLUDING ALL)")
        install_views(filled)
        filled.execute("DROP SCHEMA retired CASCADE")
    assert views_installed(filled)
    assert analyst.execute(count).fetchone() == (0,)


def test_a_column_may_change_its_type(connection: Connection) -> None:
    connection.execute("DROP VIEW analytics.category_choices")
    connection.execute("CREATE VIEW analytics.category_choices AS SELECT 'x'::text AS contact_id, 1 AS gone")
    connection.execute("CREATE VIEW analytics.past AS SELECT 1 AS one")
    assert not views_installed(connection)
    install_views(connection)
    assert views_installed(connection)
    assert connection.execute("SELECT contact_id FROM analytics.category_choices").fetchall() == []


def test_a_view_of_somebody_else_is_not_dropped(connection: Connection) -> None:
    connection.execute("CREATE OR REPLACE VIEW public.mine AS SELECT slug FROM analytics.clients")
    install_views(connection)
    connection.execute("DROP VIEW analytics.category_choices")
    connection.execute("CREATE VIEW analytics.category_choices AS SELECT 1 AS gone")
    with pytest.raises(errors.DependentObjectsStillExist):
        install_views(connection)
    assert connection.execute("SELECT slug FROM mine").fetchall() == []


def test_an_owner_who_may_not_make_roles_gets_the_views(connection: Connection) -> None:
    connection.execute("DROP SCHEMA analytics CASCADE")
    connection.execute("CREATE ROLE plain NOLOGIN")
    connection.execute(f"GRANT CREATE ON DATABASE {connection.info.dbname} TO plain")
    try:
        connection.execute("SET SESSION AUTHORIZATION plain")
        install_views(connection)
        assert views_installed(connection)
    finally:
        connection.execute("RESET SESSION AUTHORIZATION")
        connection.execute("DROP OWNED BY plain CASCADE")
        connection.execute("DROP ROLE plain")
