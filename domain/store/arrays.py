"""Postgres arrays in binary form, written in one go: psycopg's own list dumper costs a microsecond an element."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from struct import Struct
from typing import Any, ClassVar
from uuid import UUID

import psycopg
from psycopg.abc import AdaptContext
from psycopg.adapt import Dumper
from psycopg.pq import Format

HEADER = Struct(">iiIii")
EMPTY = Struct(">iiI")
LENGTH = Struct(">i")
NULL = LENGTH.pack(-1)
INTEGER = Struct(">ii")
BIGINT = Struct(">iq")
UUID_LENGTH = LENGTH.pack(16)
POSTGRES_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECONDS_A_DAY = 86_400_000_000


class BinaryArray:
    """A one-dimensional array parameter, from the binary forms of its elements, lengths included."""

    __slots__ = ("bytes",)
    element_oid: ClassVar[int]
    array_oid: ClassVar[int]

    def __init__(self, elements: list[bytes]) -> None:
        if elements:
            self.bytes = HEADER.pack(1, 1, self.element_oid, len(elements), 1) + b"".join(elements)
        else:
            self.bytes = EMPTY.pack(0, 0, self.element_oid)


class UuidArray(BinaryArray):
    """``uuid[]``."""

    element_oid, array_oid = 2950, 2951


class BigintArray(BinaryArray):
    """``bigint[]``."""

    element_oid, array_oid = 20, 1016


class IntegerArray(BinaryArray):
    """``integer[]``."""

    element_oid, array_oid = 23, 1007


class ByteaArray(BinaryArray):
    """``bytea[]``."""

    element_oid, array_oid = 17, 1001


class TextArray(BinaryArray):
    """``text[]``."""

    element_oid, array_oid = 25, 1009


class TimestampArray(BinaryArray):
    """``timestamptz[]``."""

    element_oid, array_oid = 1184, 1185


class BinaryArrayDumper(Dumper):
    """Hands the finished bytes to the driver."""

    format = Format.BINARY

    def __init__(self, cls: type[BinaryArray], context: AdaptContext | None = None) -> None:
        super().__init__(cls, context)
        self.oid = cls.array_oid

    def dump(self, obj: BinaryArray) -> bytes:
        """The array as Postgres reads it."""
        return obj.bytes


def register(connection: psycopg.Connection[Any]) -> None:
    """Teach a connection to send these arrays."""
    for array in (UuidArray, BigintArray, IntegerArray, ByteaArray, TextArray, TimestampArray):
        connection.adapters.register_dumper(array, BinaryArrayDumper)


def uuids(values: Iterable[UUID]) -> BinaryArray:
    """A ``uuid[]``."""
    return UuidArray([UUID_LENGTH + value.bytes for value in values])


def bigints(values: Iterable[int | None]) -> BinaryArray:
    """A ``bigint[]``; None is NULL."""
    pack = BIGINT.pack
    return BigintArray([NULL if value is None else pack(8, value) for value in values])


def integers(values: Iterable[int]) -> BinaryArray:
    """An ``integer[]``."""
    pack = INTEGER.pack
    return IntegerArray([pack(4, value) for value in values])


def blobs(values: Iterable[bytes | None]) -> BinaryArray:
    """A ``bytea[]``; None is NULL."""
    pack = LENGTH.pack
    return ByteaArray([NULL if value is None else pack(len(value)) + value for value in values])


def texts(values: Iterable[str]) -> BinaryArray:
    """A ``text[]``. Columns of texts repeat themselves: each different one is encoded once."""
    values, pack = list(values), LENGTH.pack
    known = {value: pack(len(raw)) + raw for value in set(values) for raw in (value.encode(),)}
    return TextArray([known[value] for value in values])


def times(values: Iterable[datetime]) -> BinaryArray:
    """A ``timestamptz[]``, in microseconds since 2000."""
    pack = BIGINT.pack
    return TimestampArray([pack(8, microseconds(value)) for value in values])


def microseconds(moment: datetime) -> int:
    """Microseconds since 2000-01-01 UTC, the binary form of a timestamptz."""
    delta = moment - POSTGRES_EPOCH
    return delta.days * MICROSECONDS_A_DAY + delta.seconds * 1_000_000 + delta.microseconds
