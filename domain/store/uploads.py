"""Uploaded files while their import waits or runs: personal data, so sealed under a key that goes with the file."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from os import urandom
from typing import Any
from uuid import UUID, uuid4

import psycopg
from cryptography.exceptions import InvalidTag

from domain.personal import NONCE_BYTES, SealingKey
from domain.store.keyring import Keyring

CHANNEL = "datamailer_imports"
"""Where a new upload is notified, once its job is queued."""

ADD_KEY = "INSERT INTO import_uploads (upload, wrapped_key, source) VALUES (%b, %b, %b)"
ADD_BLOCKS = "COPY import_files (upload, place, sealed) FROM STDIN (FORMAT binary)"
KEY = "SELECT wrapped_key FROM import_uploads WHERE upload = %b"
BLOCK = "SELECT sealed FROM import_files WHERE upload = %b AND place = %b"
EMPTY = "DELETE FROM import_files WHERE upload = %b"
ADD_BLOCK = "INSERT INTO import_files (upload, place, sealed) VALUES (%b, %s, %b)"
FILLED = "UPDATE import_uploads SET source = NULL WHERE upload = %b"
SOURCE = "SELECT wrapped_key, source FROM import_uploads WHERE upload = %b AND source IS NOT NULL"
WAITING = """
SELECT upload, created_at < now() - interval '1 hour' FROM import_uploads
WHERE (source IS NOT NULL) = %s ORDER BY created_at, upload
"""
DELETE = "DELETE FROM import_uploads WHERE upload = %b"


NO_PLACE = 2**63
"""Stands for the place of what is no block of the file."""


class UploadGone(Exception):
    """There is no such file, or its key or bytes do not fit."""


class Uploads:
    """Keeps files in Postgres, so that any process on any machine can import them."""

    def __init__(self, conninfo: str, keyring: Keyring) -> None:
        self.conninfo = conninfo
        self._keyring = keyring

    def add(self, blocks: Iterable[bytes]) -> UUID:
        """Keep a file in one transaction; memory holds a block. Raises psycopg.OperationalError."""
        upload = uuid4()
        key, wrapped = self._keyring.make()
        with psycopg.connect(self.conninfo) as connection, connection.cursor() as cursor:
            cursor.execute(ADD_KEY, (upload, wrapped, None))
            with cursor.copy(ADD_BLOCKS) as copy:
                copy.set_types(["uuid", "int4", "bytea"])
                for place, block in enumerate(blocks):
                    copy.write_row((upload, place, sealed(block, key, upload, place)))
        return upload

    def expect(self, url: str) -> UUID:
        """Name a file that is to be fetched from there. Raises psycopg.OperationalError."""
        upload = uuid4()
        key, wrapped = self._keyring.make()
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(ADD_KEY, (upload, wrapped, sealed(url.encode(), key, upload, NO_PLACE)))
        return upload

    def source(self, upload: UUID) -> str:
        """Where a file is to be fetched from. Raises UploadGone, also when it is here, psycopg.OperationalError."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(SOURCE, (upload,)).fetchone()
        if row is None:
            raise UploadGone
        return opened(bytes(row[1]), self._keyring.unwrap(row[0]), upload, NO_PLACE).decode()

    def fill(self, upload: UUID, blocks: Iterable[bytes]) -> None:
        """Keep an expected file, block by block since it may come slowly; at its end forget where it came from.

        One that was begun before is begun again. Raises as ``source``.
        """
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(SOURCE, (upload,)).fetchone()
            if row is None:
                raise UploadGone
            key = self._keyring.unwrap(row[0])
            connection.execute(EMPTY, (upload,))
            for place, block in enumerate(blocks):
                connection.execute(ADD_BLOCK, (upload, place, sealed(block, key, upload, place)))
            connection.execute(FILLED, (upload,))

    def read(self, upload: UUID) -> Generator[bytes, None, None]:
        """The blocks of a file, each fetched when its turn comes. Raises UploadGone, psycopg.OperationalError."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            row = connection.execute(KEY, (upload,)).fetchone()
            if row is None:
                raise UploadGone
            key = self._keyring.unwrap(row[0])
            place = 0
            while (block := self._block(connection, upload, place)) is not None:
                yield opened(block, key, upload, place)
                place += 1

    def _block(self, connection: psycopg.Connection[Any], upload: UUID, place: int) -> bytes | None:
        row = connection.execute(BLOCK, (upload, place), binary=True).fetchone()
        return None if row is None else bytes(row[0])

    def waiting(self, *, expected: bool = False) -> list[tuple[UUID, bool]]:
        """The files that are here, or are expected, oldest first, each with whether it is more than an hour old."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            return connection.execute(WAITING, (expected,)).fetchall()

    def delete(self, upload: UUID) -> None:
        """Delete a file and its key."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute(DELETE, (upload,))

    def announce(self) -> None:
        """Wake whoever imports."""
        with psycopg.connect(self.conninfo, autocommit=True) as connection:
            connection.execute("SELECT pg_notify(%s, '')", (CHANNEL,))


def sealed(block: bytes, key: SealingKey, upload: UUID, place: int) -> bytes:
    """A block that can be opened only with its key and in its place."""
    nonce = urandom(NONCE_BYTES)
    return nonce + key.cipher.encrypt(nonce, block, bound(upload, place))


def opened(block: bytes, key: SealingKey, upload: UUID, place: int) -> bytes:
    """The block's own bytes. Raises UploadGone when it is not what was sealed."""
    try:
        return key.cipher.decrypt(block[:NONCE_BYTES], block[NONCE_BYTES:], bound(upload, place))
    except InvalidTag as error:
        raise UploadGone from error


def bound(upload: UUID, place: int) -> bytes:
    """What ties a block to its file and place."""
    return upload.bytes + place.to_bytes(8)
