"""A waiting file: whole when it is read, unreadable in the database, gone when it is deleted."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from domain.store.log import Store
from domain.store.uploads import CHANNEL, UploadGone, Uploads

BLOCKS = [b"email\nsomebody@example.com\n" * 1000, b"", b"other@example.com\n"]


@pytest.fixture
def uploads(store: Store) -> Uploads:
    return Uploads(store.conninfo, store.keyring)


@pytest.fixture
def connection(store: Store) -> Iterator[psycopg.Connection]:
    with psycopg.connect(store.conninfo, autocommit=True) as connection:
        yield connection


def test_a_file_is_read_as_it_came(uploads: Uploads) -> None:
    first, second = uploads.add(BLOCKS), uploads.add([b"x"])
    assert list(uploads.read(first)) == BLOCKS
    assert uploads.waiting() == [(first, False), (second, False)]


def test_the_database_holds_no_address(uploads: Uploads, connection: psycopg.Connection) -> None:
    uploads.add(BLOCKS)
    rows = connection.execute("SELECT t::text, u::text FROM import_files t JOIN import_uploads u USING (upload)")
    text = " ".join(f"{block} {upload}" for block, upload in rows)
    assert b"somebody".hex() not in text
    assert "somebody" not in text


def test_a_deleted_file_is_gone_with_its_key(uploads: Uploads, connection: psycopg.Connection) -> None:
    upload = uploads.add(BLOCKS)
    reading = uploads.read(upload)
    next(reading)
    uploads.delete(upload)
    assert uploads.waiting() == []
    assert connection.execute("SELECT count(*) FROM import_files").fetchone() == (0,)
    with pytest.raises(UploadGone):
        next(uploads.read(upload))
    reading.close()


def test_blocks_can_be_opened_in_their_place_only(uploads: Uploads, connection: psycopg.Connection) -> None:
    upload = uploads.add([b"one", b"two"])
    connection.execute("UPDATE import_files SET place = 1 - place + 10")
    connection.execute("UPDATE import_files SET place = place - 10")
    with pytest.raises(UploadGone):
        list(uploads.read(upload))


def test_a_file_that_breaks_off_leaves_nothing(uploads: Uploads) -> None:
    def blocks() -> Iterator[bytes]:
        yield b"one"
        raise EOFError

    with pytest.raises(EOFError):
        uploads.add(blocks())
    assert uploads.waiting() == []


def test_whoever_imports_is_woken(uploads: Uploads, connection: psycopg.Connection) -> None:
    connection.execute(f"LISTEN {CHANNEL}")
    uploads.announce()
    assert [notify.channel for notify in connection.notifies(timeout=30, stop_after=1)] == [CHANNEL]


def test_an_expected_file_is_fetched_once(uploads: Uploads, connection: psycopg.Connection) -> None:
    upload = uploads.expect("https://example.com/members?key=secret")
    assert (uploads.waiting(), uploads.waiting(expected=True)) == ([], [(upload, False)])
    assert uploads.source(upload) == "https://example.com/members?key=secret"
    assert "secret" not in str(connection.execute("SELECT u::text FROM import_uploads u").fetchall())

    def broken() -> Iterator[bytes]:
        yield b"first try"
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        uploads.fill(upload, broken())
    assert uploads.waiting() == []
    uploads.fill(upload, BLOCKS)
    assert list(uploads.read(upload)) == BLOCKS
    assert (uploads.waiting(), uploads.waiting(expected=True)) == ([(upload, False)], [])
    for late in (uploads.source, lambda gone: uploads.fill(gone, [])):
        with pytest.raises(UploadGone):
            late(upload)
    assert connection.execute("SELECT source FROM import_uploads").fetchall() == [(None,)]
