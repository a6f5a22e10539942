"""Installs the log's tables and functions; safe to run again, and by several processes at once."""

from __future__ import annotations

from pathlib import Path

import psycopg

SCHEMA = tuple(Path(__file__).with_name(name) for name in ("schema.sql", "uploads.sql", "feedback.sql", "erasure.sql"))
SCHEMA_LOCK = 4815162343


def install_schema(conninfo: str) -> None:
    """Create what is missing, in one transaction."""
    with psycopg.connect(conninfo) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (SCHEMA_LOCK,))
        for script in SCHEMA:
            connection.execute(script.read_bytes())
