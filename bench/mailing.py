"""Campaigns for the bench: subscribers put straight into the log, the rest over HTTP, and waiting for the outcome."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, LiteralString, cast

import msgspec
import psycopg

from bench.people import email
from bench.row import RowFailed
from bench.scopes import Scope
from config.local.ses.client import LocalSes
from domain import contact
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from projections.checkpoint import is_caught_up

CHUNK: Final = 2_000
TICK: Final = 0.02
CALL_SECONDS: Final = 60.0
LITERAL: Final = "<p>{{ braces }}</p>"
"""What SES would take for an expression of its own: a mail with it goes out in single calls."""
HTML: Final = """
<html><body><h1>This week</h1>
<p>Hello, here is <a href="https://example.com/week?a=1&amp;b=2">what is new</a>, and
<a href="https://example.com/more">more of it</a>.</p>
<p>{filler}</p>{literal}</body></html>
"""
FILLER: Final = "Lectures, homework and office hours of the week, and what others made of the last one. " * 20
RESET: Final = "bench-reset"
"""The template of a transactional mail."""
MAIL_SECONDS: Final = 30.0
WAITING: LiteralString = "SELECT count(*) FROM outbox WHERE campaign_id = %s"


def subscribers(store: Store, scope: Scope, tag: str, count: int) -> None:
    """Have so many verified subscribers with the tag. Raises RowFailed."""
    now, context = datetime.now(UTC), Context(organization_id=scope.organization_id, client_id=scope.client_id)
    for start in range(0, count, CHUNK):
        orders = [
            Order(decider=contact.decider, command=command, context=context, key=command.email)
            for command in (
                contact.UpsertContact(
                    at=now,
                    organization_id=scope.organization_id,
                    audience_id=scope.audience_id,
                    client_id=scope.client_id,
                    email=email(tag, n),
                    status="subscribed",
                    verified=True,
                    tags=(tag,),
                )
                for n in range(start, min(start + CHUNK, count))
            )
        ]
        for outcome in store.handle(*orders):
            if not isinstance(outcome, Accepted):
                raise RowFailed(f"the store answered {outcome}")


def ask(port: int, scope: Scope, method: str, path: str, fields: dict[str, Any] | None = None) -> dict[str, Any]:
    """One call of the API. Raises RowFailed unless the answer is 2xx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=CALL_SECONDS)
    body = None if fields is None else msgspec.json.encode(fields)
    headers = {"Authorization": f"Bearer {scope.key}", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        said = answer.read()
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        raise RowFailed(f"{method} {path}: {answer.status} {said[:300]!r}")
    return cast("dict[str, Any]", msgspec.json.decode(said))


def draft(port: int, scope: Scope, key: str, tag: str, *, single: bool = False) -> int:
    """Draft a campaign to everybody with the tag; gives its number. ``single``: its mail cannot go out in bulk."""
    said = {
        "audience": scope.audience,
        "client": scope.client,
        "subject": "What is new this week",
        "preview_text": "Lectures and homework",
        "html_body": HTML.format(filler=FILLER, literal=LITERAL if single else ""),
        "include_tags": [tag],
    }
    return int(ask(port, scope, "PUT", f"/api/campaigns/{key}", said)["campaign"]["id"])


def queue(port: int, scope: Scope, key: str) -> None:
    """Queue a campaign."""
    ask(port, scope, "POST", f"/api/campaigns/{key}/queue")


def save_reset(port: int, scope: Scope) -> None:
    """Have the template of a transactional mail."""
    said = {"name": "Reset", "subject": "Your password", "text_body": "Reset it: https://example.com/reset"}
    ask(port, scope, "PUT", f"/api/transactional/templates/{RESET}", said)


def reset_of(address: str) -> dict[str, str]:
    """What to ask for a transactional mail to an address, once."""
    return {"email": address, "template_key": RESET, "idempotency_key": address}


def delivered(port: int, ses: LocalSes, scope: Scope, address: str) -> float:
    """Ask for a transactional mail to somebody new; gives the seconds until it is in the inbox. Raises RowFailed."""
    began = time.perf_counter()
    ask(port, scope, "POST", "/api/transactional/send", reset_of(address))
    try:
        ses.wait(address, seconds=MAIL_SECONDS)
    except TimeoutError as error:
        raise RowFailed(str(error)) from None
    return time.perf_counter() - began


def is_settled(connection: psycopg.Connection[Any], store: Store, campaign_id: int) -> bool:
    """Whether nothing of a campaign waits to be sent, as the log is now."""
    head = store.recorder.head()
    if not all(is_caught_up(connection, name, head) for name in ("outbox", "campaign_recipients")):
        return False
    return connection.execute(WAITING, (campaign_id,)).fetchone() == (0,)


def until(holds: Callable[[], bool], what: str, seconds: float, tick: float = TICK) -> float:
    """Wait for a condition; gives the seconds. Raises RowFailed when it does not come true."""
    began = time.perf_counter()
    while not holds():
        if time.perf_counter() - began > seconds:
            raise RowFailed(f"waited {seconds:.0f} s for {what}")
        time.sleep(tick)
    return time.perf_counter() - began
