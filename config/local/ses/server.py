"""The HTTP server: the SES operations answered with as little as possible in between, the rest by Starlette."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final, cast

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from config import one_write
from config.local.ses.account import Account, LostAnswerError
from config.local.ses.composing import new_message_id
from config.local.ses.errors import BadRequestError, SesError
from config.local.ses.sending import Sending

MAX_BODY: Final = 64 * 1024 * 1024
"""A mail of 40 MB in base64, with room for the JSON around it."""
KEEP_ALIVE_SECONDS: Final = 600
"""Longer than clients keep connections: closing one under a client's hands would look like a lost answer."""
HANG_UP: Final = "hang_up"

Operation = Callable[[bytes], bytes]


class Protocol(one_write.Protocol):
    """Lets the application close the connection without an answer."""

    def on_message_begin(self) -> None:
        """Put what closes the connection beside what ASGI knows of the request."""
        super().on_message_begin()
        self.scope["extensions"] = {HANG_UP: {HANG_UP: self.transport.abort}}


class Server:
    """The ASGI application."""

    def __init__(self, sending: Sending, account: Account, rest: ASGIApp) -> None:
        self._account = account
        self._rest = rest
        self._operations: dict[tuple[str, str], Operation] = {
            ("POST", "/v2/email/outbound-emails"): sending.send_email,
            ("POST", "/v2/email/outbound-bulk-emails"): sending.send_bulk_email,
            ("GET", "/v2/email/account"): sending.get_account,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        operation = self._operations.get((scope["method"], scope["path"]))
        if operation is not None:
            await self._answer(operation, scope, receive, send)
        elif scope["path"].startswith("/v2/"):
            unknown = partial(_refuse, SesError("UnknownOperationException", "The operation is not known here."))
            await self._answer(unknown, scope, receive, send)
        else:
            await self._rest(scope, receive, send)

    async def _answer(self, operation: Operation, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _body(receive)
            if self._account.faults.latency_ms:
                await asyncio.sleep(self._account.faults.latency_ms / 1000)
            await _send(send, 200, operation(body))
        except SesError as error:
            await _send(send, error.status, error.body(), error.code)
        except LostAnswerError as lost:
            await _hang_up(scope, receive, lost.hold_seconds)


def _refuse(error: SesError, _: bytes) -> bytes:
    raise error


async def _body(receive: Receive) -> bytes:
    message = await receive()
    if not message.get("more_body"):
        return cast("bytes", message.get("body", b""))
    parts, size = [message["body"]], len(message["body"])
    while message.get("more_body"):
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MAX_BODY:
            raise BadRequestError(f"The request is longer than {MAX_BODY} bytes.")
    return b"".join(parts)


async def _send(send: Send, status: int, body: bytes, error: str = "") -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", new_message_id()[17:53].encode()),
    ]
    if error:
        headers.append((b"x-amzn-errortype", error.encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _hang_up(scope: Scope, receive: Receive, hold_seconds: float) -> None:
    """Hold the connection, or until the client gives up, then close it without a byte."""
    with suppress(TimeoutError):
        await asyncio.wait_for(_disconnected(receive), hold_seconds)
    scope["extensions"][HANG_UP][HANG_UP]()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def configured(application: ASGIApp) -> uvicorn.Config:
    """Return uvicorn's configuration: httptools and uvloop, no access log."""
    return uvicorn.Config(
        application,
        http=Protocol,
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
    )
