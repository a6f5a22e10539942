"""The ASGI application: routes, authenticates, reads, runs and answers; every exception becomes an answer here."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from functools import partial
from time import perf_counter
from typing import Any

import eventsourcing.persistence
import msgspec
import psycopg
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.answer import Answer, error_answer, send_answer
from api.call import Call
from api.errors import ApiError, Invalid, internal_error, refused, unavailable
from api.event_stream import EventStream
from api.fields import Scoped
from api.idempotency import HEADER as IDEMPOTENCY_KEY
from api.idempotency import body_digest
from api.location import located
from api.mistakes import mistakes
from api.positions import min_position
from api.readers import decode_json, read_object, read_query
from api.routing import Route, Router
from api.scalars import Errors
from api.scope import check_scope
from api.wiring import Wiring
from domain.decider import Rejected
from domain.store.order import Contended, Unavailable

log = logging.getLogger(__name__)

SLOW_SECONDS = 1.0
CLIENT_CLOSED_REQUEST = 499
SERVER_ERROR = 500
UNAVAILABLE = 503

OUTAGES = (
    Unavailable,
    Contended,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    eventsourcing.persistence.OperationalError,
    eventsourcing.persistence.InterfaceError,
)


class Application:
    """Serves the routes of a table on a wiring that lives as long as the server does."""

    def __init__(self, routes: Iterable[Route], wiring: Wiring) -> None:
        self._router = Router(routes)
        self._wiring = wiring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the server's start and stop."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._serve(Call(scope, receive, send, self._wiring), send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    def end_streams(self) -> None:
        """End the answers that would go on for ever."""
        self._wiring.following.close()

    async def _serve(self, call: Call, send: Send) -> None:
        began = perf_counter()
        template = "unknown"
        try:
            route, call.given_names = self._router.find(call.method, call.scope["raw_path"])
            template = route.path
            answer = await self._answer(call, route)
            if isinstance(answer, Answer):
                answer = located(answer, route, call.given_names)
        except ClientDisconnect:
            self._count(call, template, CLIENT_CLOSED_REQUEST, began)
            return
        except Exception as error:  # noqa: BLE001 - every exception has an answer
            answer = error_answer(self._explained(error, call, template))
        if isinstance(answer, Answer):
            await send_answer(answer, call.correlation_id, send)
            self._count(call, template, answer.status, began)
        else:
            answer.headers["datamailer-correlation-id"] = str(call.correlation_id)
            endless = isinstance(answer, EventStream)
            if endless:
                self._count(call, template, answer.status_code, began)
            await answer(call.scope, call.receive, send)
            if not endless:
                self._count(call, template, answer.status_code, began)

    async def _answer(self, call: Call, route: Route) -> Answer | Response:
        if route.access == "client":
            call.authenticated = self._wiring.auth.client(call.header(b"authorization"))
        elif route.access == "operator":
            self._wiring.auth.operator(call.header(b"authorization"))
        if route.consumes:
            return await run(call, route)
        if not route.from_query and route.takes is not None:
            call.expect_json()
            await call.read()
        key = call.header(IDEMPOTENCY_KEY) if route.method == "POST" and route.access != "public" else None
        if key is None:
            return await run(call, route)
        return await self._wiring.idempotency.once(call, key, body_digest(call.raw_body), partial(run, call, route))

    def _count(self, call: Call, template: str, status: int, began: float) -> None:
        seconds = perf_counter() - began
        self._wiring.requests.observe(template, call.method, status, seconds)
        if seconds > SLOW_SECONDS:
            log.warning("slow request", extra=described(call, template, status) | {"seconds": round(seconds, 3)})

    def _explained(self, error: Exception, call: Call, template: str) -> ApiError:
        """The error to answer with. What is nobody's mistake but ours is logged, without the words of the exception."""
        if isinstance(error, ApiError):
            return error
        if isinstance(error, Rejected):
            return refused(error)
        if isinstance(error, OUTAGES):
            log.warning("store unavailable", exc_info=error, extra=described(call, template, UNAVAILABLE))
            return unavailable()
        log.error("request failed", exc_info=error, extra=described(call, template, SERVER_ERROR))
        return internal_error()

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._wiring.start()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._wiring.stop()
                await send({"type": "lifespan.shutdown.complete"})
                return


async def run(call: Call, route: Route) -> Answer | Response:
    """Build what the route takes and run its endpoint; one that consumes other media types than JSON reads itself."""
    if route.takes is None or route.consumes:
        return await route.run(call)
    built = await given(call, route, route.takes)
    if route.projection:
        call.reflected = await call.wiring.positions.reached(route.projection, min_position(call, {}))
    return await route.run(call, built)


async def given(call: Call, route: Route, takes: type[msgspec.Struct]) -> msgspec.Struct:
    """The request as the type that the route takes. Raises Invalid with every wrong field, those of the scope included.

    A DELETE may name its scope in the query: not every HTTP client sends a body with it.
    """
    errors: Errors = {}
    built: msgspec.Struct | None
    if route.from_query or (route.method == "DELETE" and not call.raw_body):
        raw: Any = dict(call.query)
        built = read_query(takes, raw, errors)
    else:
        raw = decode_json(call.raw_body)
        built = read_object(takes, raw, errors)
    if issubclass(takes, Scoped) and isinstance(raw, dict) and call.authenticated is not None:
        call.named_audience = check_scope(raw, call.authenticated, call.wiring.directory.now, errors)
    if route.projection:
        min_position(call, errors)
    if errors or built is None:
        raise Invalid(await mistakes(call, takes, raw, errors))
    return built


def described(call: Call, template: str, status: int) -> dict[str, Any]:
    """What a log line says of a request: nothing that the client sent but the method."""
    return {
        "method": call.method,
        "route": template,
        "status": status,
        "correlation_id": str(call.correlation_id),
        "client_id": call.authenticated.number if call.authenticated else None,
    }
