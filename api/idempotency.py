"""A repeated POST gets the first answer (IETF draft "The Idempotency-Key HTTP Header Field"; contract, Idempotency)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from hashlib import blake2b
from uuid import UUID

import msgspec
from msgspec.structs import replace
from starlette.responses import Response

from api.answer import Answer, error_answer
from api.call import Call
from api.errors import ApiError, Invalid, idempotency_mismatch, request_in_progress
from domain.store.idempotency import Asked, Remembered
from domain.store.log import Store

Run = Callable[[], Awaitable[Answer | Response]]

HEADER = b"idempotency-key"
KEY_LIMIT = 255
LAST_REMEMBERED = 499
"""Statuses above it mean that nothing was decided, so the same request may come again."""


class Ticket(msgspec.Struct):
    """What an answer is to be remembered under. ``done`` once it was, together with the events of the command."""

    asked: Asked
    done: bool = False

    def about(self, contact_id: int) -> None:
        """Have the answer go with the person whom it is about."""
        self.asked = replace(self.asked, contact_id=contact_id)


class Idempotency:
    """Remembers answers in the store, and which requests of this process still run."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._running: set[tuple[int, UUID]] = set()

    async def once(self, call: Call, header: str, body_digest: bytes, run: Run) -> Answer | Response:
        """Run, or give the answer that the first request under this key got.

        Raises ApiError: 409 while that one runs, 422 when it asked something else.
        """
        ticket = self.ticket(call, header, body_digest)
        name = ticket.asked.name
        if name in self._running:
            raise request_in_progress()
        self._running.add(name)
        try:
            kept = await asyncio.to_thread(self._store.recall, ticket.asked)
            return replayed(kept, ticket.asked.request) if kept else await self._first(call, ticket, run)
        finally:
            self._running.discard(name)

    def ticket(self, call: Call, header: str, body_digest: bytes) -> Ticket:
        """Hash the key and the request. Raises Invalid for a key that is blank or too long."""
        key = header.strip()
        if not key or len(key) > KEY_LIMIT:
            raise Invalid({"Idempotency-Key": "too_long" if key else "required"})
        digest = self._store.keyring.digest
        request = f"{call.method} {call.scope['path']}?{call.scope['query_string']!r} {body_digest.hex()}"
        client_id = call.authenticated.number if call.authenticated else 0
        secret = self._store.keyring.of_request(f"{key}\n{request}")
        return Ticket(Asked(client_id, digest("idempotency", key), digest("request", request), secret))

    async def _first(self, call: Call, ticket: Ticket, run: Run) -> Answer | Response:
        call.ticket = ticket
        answer: Answer | Response
        try:
            answer = await run()
        except ApiError as error:
            answer = error_answer(error)
        if isinstance(answer, Answer) and not ticket.done and answer.status <= LAST_REMEMBERED:
            body = answer.body if answer.kept is None else answer.kept
            kept = (ticket.asked, answer.status, body, answer.position or 0)
            await asyncio.to_thread(self._store.remember, *kept)
        return answer


def replayed(kept: Remembered, request: UUID | None) -> Answer:
    """The first answer again. Raises ApiError 422 when it was given to another request."""
    if kept.request != request:
        raise idempotency_mismatch()
    headers = ((b"idempotent-replayed", b"true"),)
    return Answer(body=kept.body, status=kept.status, position=kept.position or None, headers=headers)


def body_digest(body: bytes) -> bytes:
    """What stands for a body where requests are compared."""
    return blake2b(body, digest_size=16).digest()
