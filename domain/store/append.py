"""What one append writes, and its forms on the wire: arrays for the append function, rows for COPY."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from struct import Struct
from typing import NamedTuple
from uuid import UUID

from domain.store import arrays


class Claim(NamedTuple):
    """A natural key that takes a number, and for a contact the wrapped key of its own."""

    kind: int
    key: UUID
    number: int
    wrapped_key: bytes | None


class NewKey(NamedTuple):
    """A key of a contact for an organization, first needed by a stream."""

    stream: UUID
    contact_id: int
    organization_id: int
    wrapped_key: bytes


class Row(NamedTuple):
    """An event to append; its position is given by the log."""

    stream: UUID
    version: int
    topic: str
    data: bytes
    organization_id: int
    client_id: int
    contact_id: int
    occurred_at: datetime
    correlation_id: UUID
    causation_id: int | None
    source: str


class Answer(NamedTuple):
    """A first answer to keep for an Idempotency-Key, with the stream that it hangs on."""

    stream: UUID
    client_id: int
    key: UUID
    request: UUID
    status: int
    sealed_body: bytes
    contact_id: int


class Forgotten(NamedTuple):
    """A key to destroy, organization 0 being the contact's own; ``kept`` are the flags that stay (``Event.keeps``)."""

    contact_id: int
    organization_id: int
    kept: int


class Append(NamedTuple):
    """All that one append writes. ``heads`` holds each stream's version before it; ``forget`` keys to destroy."""

    claims: list[Claim]
    keys: list[NewKey]
    heads: list[tuple[UUID, int]]
    rows: list[Row]
    answers: list[Answer]
    forget: list[Forgotten]


class Appended(NamedTuple):
    """The log's last position, and the streams that were left out because another writer was first."""

    head: int
    lost: frozenset[UUID]


COPY_COLUMNS = (
    "originator_id, originator_version, notification_id, organization_id, client_id, contact_id, occurred_at, "
    "correlation_id, causation_id, topic, source, state"
)
COPY_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
COPY_END = b"\xff\xff"
FIXED = Struct(">hi16siqiqiqiqiqiqi16s")
LENGTH = Struct(">i")
BIGINT = Struct(">iq")
NULL = LENGTH.pack(-1)


def copy_rows(rows: Sequence[Row], head: int) -> bytes:
    """Rows in the binary COPY format of :data:`COPY_COLUMNS`, their positions counted on from ``head``."""
    fixed, length = FIXED.pack, LENGTH.pack
    parts = [COPY_SIGNATURE]
    texts: dict[str, bytes] = {}
    last_stream = last_correlation = last_at = None
    for position, row in enumerate(rows, head + 1):
        stream, version, topic, data, organization, client, contact, at, correlation, causation, source = row
        if stream is not last_stream:
            last_stream, stream_bytes = stream, stream.bytes
        if correlation is not last_correlation:
            last_correlation, correlation_bytes = correlation, correlation.bytes
        if at is not last_at:
            last_at, micros = at, arrays.microseconds(at)
        words = texts.get(key := f"{topic}|{source}")
        if words is None:
            words = texts[key] = b"".join(length(len(word)) + word for word in (topic.encode(), source.encode()))
        # fmt: off
        parts += (
            fixed(12, 16, stream_bytes, 8, version, 8, position, 8, organization, 8, client, 8, contact, 8, micros, 16,
                  correlation_bytes),
            NULL if causation is None else BIGINT.pack(8, causation), words, length(len(data)), data,
        )
        # fmt: on
    parts.append(COPY_END)
    return b"".join(parts)


def call_arrays(batch: Append) -> tuple[arrays.BinaryArray, ...]:
    """The parameters of the SQL function ``log_append``."""
    return (*claim_arrays(batch), *_row_arrays(batch.rows), *_answer_arrays(batch.answers), *_forget_arrays(batch))


def claim_arrays(batch: Append) -> tuple[arrays.BinaryArray, ...]:
    """The parameters of the SQL function ``log_claim``."""
    claims = sorted(batch.claims, key=lambda claim: (claim.kind, claim.key.int))
    keys = sorted(batch.keys, key=lambda key: (key.contact_id, key.organization_id))
    return (
        arrays.integers(claim.kind for claim in claims),
        arrays.uuids(claim.key for claim in claims),
        arrays.bigints(claim.number for claim in claims),
        arrays.blobs(claim.wrapped_key for claim in claims),
        arrays.uuids(key.stream for key in keys),
        arrays.bigints(key.contact_id for key in keys),
        arrays.bigints(key.organization_id for key in keys),
        arrays.blobs(key.wrapped_key for key in keys),
        arrays.uuids(stream for stream, _ in batch.heads),
        arrays.bigints(version for _, version in batch.heads),
    )


def _row_arrays(rows: list[Row]) -> tuple[arrays.BinaryArray, ...]:
    return (
        arrays.uuids(row.stream for row in rows),
        arrays.bigints(row.version for row in rows),
        arrays.texts(row.topic for row in rows),
        arrays.blobs(row.data for row in rows),
        arrays.bigints(row.organization_id for row in rows),
        arrays.bigints(row.client_id for row in rows),
        arrays.bigints(row.contact_id for row in rows),
        arrays.times(row.occurred_at for row in rows),
        arrays.uuids(row.correlation_id for row in rows),
        arrays.bigints(row.causation_id for row in rows),
        arrays.texts(row.source for row in rows),
    )


def _answer_arrays(answers: list[Answer]) -> tuple[arrays.BinaryArray, ...]:
    return (
        arrays.uuids(answer.stream for answer in answers),
        arrays.bigints(answer.client_id for answer in answers),
        arrays.uuids(answer.key for answer in answers),
        arrays.uuids(answer.request for answer in answers),
        arrays.integers(answer.status for answer in answers),
        arrays.blobs(answer.sealed_body for answer in answers),
        arrays.bigints(answer.contact_id for answer in answers),
    )


def _forget_arrays(batch: Append) -> tuple[arrays.BinaryArray, ...]:
    return (
        arrays.bigints(forgotten.contact_id for forgotten in batch.forget),
        arrays.bigints(forgotten.organization_id for forgotten in batch.forget),
        arrays.integers(forgotten.kept for forgotten in batch.forget),
    )
