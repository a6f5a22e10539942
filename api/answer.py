"""What an endpoint gives back, and how it goes out over ASGI."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import msgspec
from starlette.types import Send

from api.errors import ApiError

ENCODER = msgspec.json.Encoder()
JSON = b"application/json"

Headers = tuple[tuple[bytes, bytes], ...]


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Encoded and ready to be sent. ``position`` is the log position that it reflects, when there is one.

    ``kept`` is the body that an Idempotency-Key remembers, when it must not be the one that is sent.
    """

    body: bytes
    status: int = 200
    position: int | None = None
    headers: Headers = ()
    content_type: bytes = JSON
    kept: bytes | None = None


def json_answer(payload: Any, *, status: int = 200, position: int | None = None, headers: Headers = ()) -> Answer:
    """An answer of JSON; ``payload`` is a Struct or a JSON value."""
    return Answer(body=ENCODER.encode(payload), status=status, position=position, headers=headers)


def error_answer(error: ApiError) -> Answer:
    """The answer that an error stands for."""
    headers = tuple((name.lower().encode(), value.encode()) for name, value in error.headers.items())
    return Answer(body=ENCODER.encode({"error": error.error}), status=error.status, headers=headers)


def response_headers(answer: Answer, correlation_id: UUID) -> list[tuple[bytes, bytes]]:
    """The header lines of an answer. Nothing that the API says about a person may stay in a cache."""
    headers = [
        (b"content-type", answer.content_type),
        (b"content-length", b"%d" % len(answer.body)),
        (b"cache-control", b"no-store"),
        (b"datamailer-correlation-id", str(correlation_id).encode()),
        *answer.headers,
    ]
    if answer.position is not None:
        headers.append((b"datamailer-position", b"%d" % answer.position))
    return headers


async def send_answer(answer: Answer, correlation_id: UUID, send: Send) -> None:
    """Send an answer whole."""
    headers = response_headers(answer, correlation_id)
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
