"""Reads all that there is to read: every table and topic as it stands, and all that the keys at hand still open."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from typing import Any, Final

import msgspec
import psycopg
from cryptography.exceptions import InvalidTag
from kafka import KafkaConsumer, TopicPartition
from psycopg import sql
from psycopg.rows import dict_row

from domain.personal import HEADER, NONCE_BYTES, SCOPE, SealingKey
from domain.store.keyring import KEY_BYTES, Keyring
from domain.store.uploads import UploadGone, opened

TABLES: Final = """
SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""
TOKEN: Final = re.compile(rb"[A-Za-z0-9+/]{40,}={0,2}")
"""What can be a sealed field in the JSON of an event."""


def tables(conninfo: str) -> dict[str, list[dict[str, Any]]]:
    """Every row of every table, and the comments on all things."""
    with psycopg.connect(conninfo, row_factory=dict_row) as connection:
        names = [(row["schemaname"], row["tablename"]) for row in connection.execute(TABLES).fetchall()]
        return {
            table: connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table))).fetchall()
            for schema, table in names
        }


def as_it_stands(conninfo: str) -> Iterator[str]:
    """All rows, bytes as the text that they are."""
    for rows in tables(conninfo).values():
        for row in rows:
            yield " ".join(v.decode(errors="replace") if isinstance(v, bytes) else str(v) for v in row.values())


def opened_with_all_keys(conninfo: str, master_key: str) -> Iterator[str]:
    """All that who has the master key can open: with the root key, and with every key that it unwraps."""
    with psycopg.connect(conninfo) as connection:
        keyring = Keyring.open(connection, master_key)
    found = tables(conninfo)
    keys = list(unwrapped(keyring, found))
    for name, rows in found.items():
        for row in rows:
            if name == "import_files":
                yield from blocks(keys, row)
            for value in row.values():
                for sealed in candidates(value):
                    yield from (text.decode(errors="replace") for text in openings(keyring, keys, sealed))


def unwrapped(keyring: Keyring, found: dict[str, list[dict[str, Any]]]) -> Iterator[SealingKey]:
    """Every key that the root key unwraps, wherever it is kept."""
    values = (value for rows in found.values() for row in rows for value in row.values())
    for value in values:
        if isinstance(value, bytes) and len(value) == NONCE_BYTES + KEY_BYTES + 16:
            try:
                yield keyring.unwrap(value)
            except InvalidTag:
                continue


def candidates(value: object) -> Iterator[bytes]:
    """The bytes that may be sealed: those of a column, of tokens in its text or JSON, or of a snapshot."""
    if isinstance(value, bytes):
        yield value
        try:
            yield from (sealed for text in texts(msgspec.msgpack.decode(value)) for sealed in tokens(text.encode()))
        except (msgspec.DecodeError, ValueError):
            yield from tokens(value)
    elif value is not None:
        yield from tokens(str(value).encode())


def texts(value: object) -> Iterator[str]:
    """All strings in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for each in value.items() for part in each for text in texts(part))
    elif isinstance(value, list | tuple):
        yield from (text for each in value for text in texts(each))


def tokens(text: bytes) -> Iterator[bytes]:
    """What may be sealed bytes in base64."""
    for token in TOKEN.findall(text):
        if len(token) % 4 == 0:
            yield b64decode(token)


def openings(keyring: Keyring, keys: Iterable[SealingKey], sealed: bytes) -> Iterator[bytes]:
    """What the bytes say under each of the keys, whether an organization stands before the nonce or not."""
    with suppress(InvalidTag, ValueError):
        yield keyring.unseal(sealed)
    for key in keys:
        for nonce, text in (
            (sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]),
            (sealed[SCOPE.size : HEADER], sealed[HEADER:]),
        ):
            try:
                yield key.cipher.decrypt(nonce, text, None)
            except (InvalidTag, ValueError):
                continue


def blocks(keys: Iterable[SealingKey], row: dict[str, Any]) -> Iterator[str]:
    """A block of a file that waits to be imported."""
    for key in keys:
        try:
            yield opened(row["sealed"], key, row["upload"], row["place"]).decode(errors="replace")
        except (UploadGone, ValueError):
            continue


def topics(servers: str) -> dict[str, list[bytes]]:
    """Keys, headers and values of every message of every topic that the broker has, its own ones too."""
    options: dict[str, Any] = {"auto_offset_reset": "earliest", "enable_auto_commit": False, "group_id": None}
    options |= {"bootstrap_servers": servers.split(","), "exclude_internal_topics": False}
    with closing(KafkaConsumer(**options)) as asked:
        names = asked.topics()
        places = [TopicPartition(name, part) for name in names for part in asked.partitions_for_topic(name) or ()]
        ends = {place: end for place, end in asked.end_offsets(places).items() if end}
        found: dict[str, list[bytes]] = {name: [] for name in names}
        asked.assign(list(ends))
        asked.seek_to_beginning(*ends)
        while any(asked.position(place) < end for place, end in ends.items()):
            for place, records in asked.poll(timeout_ms=500).items():
                found[place.topic] += map(parts, records)
        return found


def parts(record: Any) -> bytes:
    """All that a message consists of."""
    headers = [part for name, value in record.headers for part in (name.encode(), value)]
    return b"\n".join([record.key or b"", *headers, record.value or b""])
