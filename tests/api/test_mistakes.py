"""A mistake of our own: answered as one, logged under its correlation id, without what the client sent."""

from __future__ import annotations

import asyncio
import io
import json
import logging

import httpx
import pytest

from api import application
from api.answer import Answer, json_answer
from api.application import Application
from api.call import Call
from api.routing import Route
from api.wiring import Wiring
from config.logging import JSONFormatter
from tests.api.serving import settings_of

CORRELATION = "8f14e45f-ceea-467f-a1d3-0b6b8a3a2c11"


async def mistaken(call: Call) -> Answer:
    raise KeyError(call.given_names["email"])


async def fine(_: Call) -> Answer:
    return json_answer({"fine": True})


ROUTES = [Route("GET", "/mistaken/{email}", mistaken, access="public"), Route("GET", "/fine", fine, access="public")]


def answered(conninfo: str, path: str) -> tuple[httpx.Response, list[dict[str, object]]]:
    """The answer to a request, and what was logged meanwhile."""
    wiring = Wiring(settings_of(conninfo))
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JSONFormatter())

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(Application(ROUTES, wiring))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers={"Datamailer-Correlation-Id": CORRELATION})

    application.log.addHandler(handler)
    try:
        response = asyncio.run(asked())
    finally:
        application.log.removeHandler(handler)
        wiring.store.close()
    return response, [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_mistake_of_ours(database: str) -> None:
    response, (line,) = answered(database, "/mistaken/secret-person@example.com")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert response.headers["Datamailer-Correlation-Id"] == CORRELATION
    assert (line["level"], line["error"], line["route"]) == ("error", "KeyError", "/mistaken/{email}")
    assert line["correlation_id"] == CORRELATION
    assert str(line["at"]).endswith("mistaken")
    assert "secret-person" not in json.dumps(line)


def test_what_goes_well_is_not_logged_unless_it_was_slow(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert answered(database, "/fine")[1] == []
    monkeypatch.setattr(application, "SLOW_SECONDS", 0.0)
    (line,) = answered(database, "/fine")[1]
    assert (line["message"], line["route"], line["status"]) == ("slow request", "/fine", 200)
    assert line["correlation_id"] == CORRELATION
