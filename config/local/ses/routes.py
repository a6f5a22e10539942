"""Everything beside the SES operations: the inbox as JSON, events and faults, the certificate, confirmations."""

from collections.abc import AsyncIterator, Iterable
from typing import Any, Final
from urllib.parse import urlsplit
from xml.sax.saxutils import escape

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from config.local.ses.account import Account
from config.local.ses.certificate import Signer
from config.local.ses.errors import BadRequestError
from config.local.ses.inbox import Inbox
from config.local.ses.mail import Mail, shown
from config.local.ses.order import read_order
from config.local.ses.pages import Pages
from config.local.ses.publishing import AutoEvents, Publishing, UnknownMessageError
from config.local.ses.rules import bare_address
from config.local.ses.settings import UnsafeHostError, check_host
from config.local.ses.webhook import UnreachableError

CHUNK: Final = 100
LONGEST_WAIT: Final = 60.0
JSON_TYPE: Final = "application/json"


class Routes:
    """The handlers and what they work on."""

    def __init__(
        self, inbox: Inbox, account: Account, publishing: Publishing, auto_events: AutoEvents, signer: Signer
    ) -> None:
        self._inbox = inbox
        self._account = account
        self._publishing = publishing
        self._auto_events = auto_events
        self._signer = signer
        self._confirmations: list[dict[str, str]] = []

    def application(self, pages: Pages, allowed: frozenset[str]) -> ASGIApp:
        """Return the application with its routes, closed to what a foreign web page may ask for."""
        routes = [
            Route("/", pages.inbox),
            Route("/messages/{message_id}", pages.message),
            Route("/inbox.json", self.inbox),
            Route("/inbox.json", self.empty, methods=["DELETE"]),
            Route("/events", self.events, methods=["POST"]),
            Route("/faults", self.faults, methods=["GET", "POST", "DELETE"]),
            Route("/certificate.pem", self.certificate),
            Route("/sns", self.sns),
            Route("/confirmations.json", self.confirmations),
            Route("/health", self.health),
        ]
        return OnlyLocal(Starlette(routes=routes), allowed)

    async def inbox(self, request: Request) -> Response:
        """Answer the inbox, all of it or that of one `to` or `message_id`, whole or without its bodies.

        `limit` and `offset` cut a page out; `at_least` waits for so many mails, for `seconds` at most.
        """
        query = request.query_params
        try:
            to = bare_address(query["to"]) if query.get("to") else None
            limit = int(query["limit"]) if "limit" in query else None
            offset, at_least = int(query.get("offset", 0)), int(query.get("at_least", 0))
            seconds = min(float(query.get("seconds", 0)), LONGEST_WAIT)
        except (ValueError, BadRequestError):
            return _problem(400, "to is an address; limit, offset, at_least and seconds are numbers")
        if min(offset, limit or 0, at_least) < 0:
            return _problem(400, "limit, offset and at_least cannot be negative")
        if at_least:
            await self._inbox.until(to, at_least, seconds)
        mails, count = self._inbox.select(to, offset, limit), self._inbox.count(to)
        if "message_id" in query:
            found = self._inbox.find(query["message_id"])
            mails, count = ([found], 1) if found else ([], 0)
        bodies = query.get("bodies", "true") != "false"
        return StreamingResponse(_inbox_json(mails, count, bodies=bodies), media_type=JSON_TYPE)

    async def empty(self, _: Request) -> Response:
        """Forget all mail, and the events that were still to be published."""
        self._inbox.empty()
        self._auto_events.forget()
        return Response(status_code=204)

    async def events(self, request: Request) -> Response:
        """Publish an event and answer what the webhook answered."""
        try:
            return _json(await self._publishing.publish(read_order(await request.body()), self._inbox))
        except (msgspec.DecodeError, UnsafeHostError) as error:
            return _problem(400, str(error))
        except UnknownMessageError:
            return _problem(404, "no message of that id was accepted here")
        except UnreachableError:
            return _problem(502, "the webhook does not answer")

    async def faults(self, request: Request) -> Response:
        """Show the faults; POST sets the members that it names, DELETE resets all of them."""
        try:
            if request.method == "POST":
                patch = msgspec.json.decode(await request.body(), type=dict[str, Any])
                self._account.set(self._account.faults.changed(patch))
            elif request.method == "DELETE":
                self._account.reset()
        except (msgspec.DecodeError, BadRequestError) as error:
            return _problem(400, str(error))
        return _json({**msgspec.to_builtins(self._account.faults), "hits": self._account.hits()})

    async def certificate(self, _: Request) -> Response:
        """Answer the certificate of the key that signs SNS messages here."""
        return PlainTextResponse(self._signer.certificate_pem, media_type="application/x-pem-file")

    async def sns(self, request: Request) -> Response:
        """Take a confirmation, as SNS does at a SubscribeURL."""
        self._confirmations.append(dict(request.query_params))
        action, topic = request.query_params.get("Action", ""), request.query_params.get("TopicArn", "")
        if action not in {"ConfirmSubscription", "Unsubscribe"}:
            return _problem(400, "Action is ConfirmSubscription or Unsubscribe")
        arn = f"<SubscriptionArn>{escape(topic)}:local</SubscriptionArn>"
        return Response(f"<{action}Response>{arn}</{action}Response>", media_type="text/xml")

    async def confirmations(self, _: Request) -> Response:
        """Answer which SubscribeURLs and UnsubscribeURLs were visited, oldest first."""
        return _json({"confirmations": self._confirmations})

    async def health(self, _: Request) -> Response:
        """Answer that the server runs."""
        return _json({"status": "ok"})


class OnlyLocal:
    """Refuses requests under a foreign host name or from a foreign page: mail is read by this machine's own tools."""

    def __init__(self, application: ASGIApp, allowed: frozenset[str]) -> None:
        self._application = application
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer 403."""
        headers = dict(scope["headers"])
        names = ["//" + headers.get(b"host", b"").decode("latin-1"), headers.get(b"origin", b"").decode("latin-1")]
        try:
            for name in filter(None, names):
                check_host(urlsplit(name).hostname or "", self._allowed)
        except ValueError:
            await _problem(403, "only local requests are answered")(scope, receive, send)
        else:
            await self._application(scope, receive, send)


async def _inbox_json(mails: list[Mail], count: int, *, bodies: bool) -> AsyncIterator[bytes]:
    yield b'{"count":%d,"messages":[' % count
    for start in range(0, len(mails), CHUNK):
        yield b"," if start else b""
        yield b",".join(_encoded(mails[start : start + CHUNK], bodies=bodies))
    yield b"]}"


def _encoded(mails: Iterable[Mail], *, bodies: bool) -> list[bytes]:
    return [msgspec.json.encode(shown(mail, bodies=bodies)) for mail in mails]


def _json(value: object, status: int = 200) -> Response:
    return Response(msgspec.json.encode(value), status, media_type=JSON_TYPE)


def _problem(status: int, message: str) -> Response:
    return _json({"error": message}, status)
