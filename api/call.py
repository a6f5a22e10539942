"""One HTTP request on its way: who asks, for what, when, and on what the answer stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus
from uuid import UUID

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from api.errors import Invalid, not_found, payload_too_large, unauthorized, unsupported_media_type
from domain.store.order import new_correlation_id

if TYPE_CHECKING:
    from api.directory import Audience, Client
    from api.idempotency import Ticket
    from api.wiring import Wiring

BODY_LIMIT = 5 * 1024 * 1024
"""Bytes that a JSON body may have (contract, Errors)."""

NUMBER_LIMIT = 2**53
"""Public numbers stay below it, so that every JSON reader keeps them whole."""

JSON = b"application/json"


class Call(Request):
    """A request, with Starlette's lazy readers (``stream``, ``form``, ``headers``) and what the framework found out.

    ``authenticated`` is the calling client, None where an operator or anybody calls. ``ticket`` is there when the
    answer is to be remembered under an Idempotency-Key. ``reflected`` is how far the route's read model is.
    """

    authenticated: Client | None = None
    named_audience: Audience | None = None
    ticket: Ticket | None = None
    reflected: int = 0
    given_names: Mapping[str, str]

    def __init__(self, scope: Scope, receive: Receive, send: Send, wiring: Wiring) -> None:
        super().__init__(scope, receive, send)
        self.wiring = wiring
        self.now = datetime.now(UTC)
        self.raw_headers: dict[bytes, bytes] = dict(scope["headers"])
        self.correlation_id = correlation_id(self.raw_headers.get(b"datamailer-correlation-id"))
        self.raw_body = b""

    def header(self, name: bytes) -> str | None:
        """The value of a header, named in lower case."""
        value = self.raw_headers.get(name)
        return None if value is None else value.decode("latin-1")

    def number(self, name: str) -> int:
        """A number in the path. Raises Invalid ``not_found`` for what cannot be one."""
        text = self.given_names[name]
        if text.isascii() and text.isdecimal() and len(text) < len(str(NUMBER_LIMIT)):
            return int(text)
        raise not_found(name)

    @property
    def caller(self) -> Client:
        """The calling client, on a route that only clients may call."""
        if self.authenticated is None:
            raise unauthorized("missing_authorization")
        return self.authenticated

    @property
    def audience(self) -> Audience:
        """The audience that a scoped request names; it was found before the endpoint ran."""
        if self.named_audience is None:
            raise Invalid({"audience": "required"})
        return self.named_audience

    @cached_property
    def query(self) -> dict[str, str]:
        """The fields of the query string; of a field that is there twice, the last."""
        text = self.scope["query_string"].decode("latin-1")
        pairs = (pair.partition("=") for pair in text.split("&") if pair)
        return {decoded(name): decoded(value) for name, _, value in pairs}

    async def read(self, limit: int = BODY_LIMIT) -> bytes:
        """The whole body. Raises ApiError 413 as soon as it is known to be longer than ``limit`` bytes."""
        declared = self.raw_headers.get(b"content-length", b"")
        if declared.isdigit() and int(declared) > limit:
            raise payload_too_large(limit)
        message = await self.receive()
        body: bytes = message.get("body", b"")
        if message.get("more_body"):
            body = await self._read_on(body, limit)
        elif message["type"] == "http.disconnect":
            raise ClientDisconnect
        if len(body) > limit:
            raise payload_too_large(limit)
        self.raw_body = body
        return body

    async def _read_on(self, first: bytes, limit: int) -> bytes:
        parts, length, more = [first], len(first), True
        while more and length <= limit:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            part: bytes = message.get("body", b"")
            more = message.get("more_body", False)
            length += len(part)
            parts.append(part)
        return b"".join(parts)

    def expect_json(self) -> None:
        """Raises ApiError 415 when the body says that it is not JSON; one that says nothing is taken as JSON."""
        content_type = self.raw_headers.get(b"content-type", JSON)
        if content_type is not JSON and not is_json(content_type):
            raise unsupported_media_type("application/json")


def decoded(text: str) -> str:
    """A name or value of a query string. Bytes that are no UTF-8 come out as replacement characters."""
    return unquote_plus(text) if "%" in text or "+" in text else text


def is_json(content_type: bytes) -> bool:
    """Whether a Content-Type is JSON's own, or of a type built on it (RFC 6839)."""
    essence = content_type.partition(b";")[0].strip().lower()
    return essence == JSON or (essence.startswith(b"application/") and essence.endswith(b"+json"))


def correlation_id(given: bytes | None) -> UUID:
    """The client's own id of the request when it is a UUID, or a new one."""
    if given is not None:
        try:
            return UUID(given.decode("ascii"))
        except ValueError:
            pass
    return new_correlation_id()
