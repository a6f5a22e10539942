"""Where a rebuild works: its sessions on the database, and what opens sealed data there."""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from cryptography.exceptions import InvalidTag
from psycopg.rows import tuple_row

from domain.store import arrays
from domain.store.keyring import Keyring
from domain.store.mapper import Mapper
from domain.store.unsealing import Unsealer
from projections.rebuild.refusals import LostKeyError

Connection = psycopg.Connection[Any]

# Everything that is built can be built anew, so commits need not wait for the disk; the swap does. Indexes take their
# time, but the server looks whether the client is still there: a killed rebuild must not go on with them. Sequential
# scans would stay in plans made on empty tables.
SETTINGS = """
SET synchronous_commit = off;
SET statement_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET timezone = 'UTC';
SET client_connection_check_interval = '5s';
SET enable_seqscan = off;
SET enable_hashjoin = off;
SET enable_mergejoin = off;
SET jit = off;
SELECT set_config('maintenance_work_mem', '256MB', false)
WHERE pg_size_bytes(current_setting('maintenance_work_mem')) < pg_size_bytes('256MB');
"""
SOME_KEY = """
SELECT (SELECT wrapped_key FROM identities WHERE kind = 4 AND wrapped_key IS NOT NULL LIMIT 1),
    EXISTS (SELECT FROM root_key)
"""
BEFORE = "SELECT set_config('search_path', quote_ident(%s) || ', ' || current_setting('search_path'), false)"


class Database(msgspec.Struct, frozen=True):
    """A connection string, and the master key in base64."""

    conninfo: str
    master_key: str

    def connect(self, name: str, schema: str | None = None) -> Connection:
        """Open an autocommit session that operators see under the name, which finds the schema's tables first.

        Raises psycopg's OperationalError.
        """
        connection: Connection = psycopg.connect(
            self.conninfo, autocommit=True, application_name=name, connect_timeout=5, row_factory=tuple_row
        )
        arrays.register(connection)
        connection.execute(SETTINGS)
        if schema:
            prefer(connection, schema)
        return connection

    def unsealer(self) -> Unsealer:
        """What opens sealed data. Raises WrongMasterKey, LostKeyError."""
        with psycopg.connect(self.conninfo) as connection:
            wrapped, rooted = connection.execute(SOME_KEY).fetchone() or (None, True)
            if wrapped and not rooted:
                raise LostKeyError
            keyring = Keyring.open(connection, self.master_key)
        try:
            if wrapped:
                keyring.unwrap(wrapped)
        except InvalidTag as error:
            raise LostKeyError from error
        return Unsealer(Mapper(), keyring)


def prefer(connection: Connection, schema: str) -> str:
    """Have the session find the schema's tables before the live ones; give the schema where these are."""
    row = connection.execute("SELECT current_schema()").fetchone()
    connection.execute(BEFORE, (schema,))
    return str(row[0]) if row else ""
