"""No request, however odd, is answered with a 5xx or leaves half a thing behind."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import ROUTES
from config.local.postgres import Postgres
from tests.api.conftest import with_demo
from tests.api.serving import COURSES, OPERATOR_KEY, Served, serving, settings_of


@pytest.fixture(scope="module")
def fuzzed(postgres: Postgres, template: str) -> Iterator[Served]:
    """A server of these tests' own: they switch clients off and revoke keys."""
    with with_demo(postgres, template, "fuzzed") as conninfo, serving(settings_of(conninfo)) as running:
        yield running


@pytest.fixture(scope="module")
def http(fuzzed: Served) -> Iterator[httpx.Client]:
    with fuzzed.client() as client:
        yield client


@pytest.fixture(scope="module")
def operator(fuzzed: Served) -> Iterator[httpx.Client]:
    with fuzzed.client(OPERATOR_KEY) as client:
        yield client


FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

NAMES = """
email audience client status tags verified email_validation suppression verified_at validated_at reason hard_bounced
complained global_unsubscribed scope categories tag enabled label slug name organization notes contacts csv dry_run
senders id default_sender_id subject html_body text_body required_context example_context template_key context metadata
idempotency_key from_email reply_to cc bcc headers message_parts category_tag scheduled_at include_tags emails limit
"""
FIELDS = st.sampled_from(NAMES.split())
TEXT = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "person@example.com",
        "dtc-courses",
        "subscribed",
        "client",
        "valid",
        "2026-05-24T12:00:00Z",
        "\x00",
        "\ud800",
        "a" * 400,
    ]
)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(FIELDS | TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECT = st.dictionaries(FIELDS, VALUE, max_size=6).map(lambda said: {**COURSES, **said})
SEGMENT = st.sampled_from(["1", "2", "0", "x", "%00", "%FF", "asl-platform", "dm_aslplatform", "9" * 40]) | TEXT.map(
    lambda text: quote(text, safe="", errors="surrogatepass")
)
WRITES = [route for route in ROUTES if route.method != "GET"]
READS = [route for route in ROUTES if route.method == "GET" and route.access == "client" and not route.produces]


def filled(path: str, segments: list[str]) -> str:
    """A path with texts for its names."""
    for segment in segments:
        path = path.replace(path[path.find("{") : path.find("}") + 1], segment, 1) if "{" in path else path
    return path


def client_for(http: httpx.Client, operator: httpx.Client, access: str) -> httpx.Client:
    return operator if access == "operator" else http


def is_an_answer(response: httpx.Response) -> bool:
    if response.status_code >= 400:
        assert response.json()["error"]["code"]
    return response.status_code < 500


@FUZZ
@given(route=st.sampled_from(WRITES), segments=st.lists(SEGMENT, min_size=2, max_size=2), said=OBJECT | VALUE)
def test_odd_json(http: httpx.Client, operator: httpx.Client, route: Any, segments: list[str], said: Any) -> None:
    response = client_for(http, operator, route.access).request(
        route.method,
        filled(route.path, segments),
        content=json.dumps(said),
        headers={"Content-Type": "application/json"},
    )
    assert is_an_answer(response), response.text


@FUZZ
@given(route=st.sampled_from(WRITES), body=st.binary(max_size=200), key=st.none() | st.text("abc \t~", max_size=300))
def test_odd_bytes(http: httpx.Client, operator: httpx.Client, route: Any, body: bytes, key: str | None) -> None:
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["Idempotency-Key"] = key.strip()
    response = client_for(http, operator, route.access).request(
        route.method, filled(route.path, ["1", "x"]), content=body, headers=headers
    )
    assert is_an_answer(response), response.text


@FUZZ
@given(
    route=st.sampled_from(READS),
    segments=st.lists(SEGMENT, min_size=2, max_size=2),
    query=st.dictionaries(FIELDS, TEXT),
)
def test_odd_queries(http: httpx.Client, route: Any, segments: list[str], query: dict[str, str]) -> None:
    said = "&".join(f"{name}={quote(text, errors='surrogatepass')}" for name, text in {**COURSES, **query}.items())
    assert is_an_answer(http.get(f"{filled(route.path, segments)}?{said}"))


@FUZZ
@given(raw=st.binary(max_size=60))
def test_odd_query_bytes(http: httpx.Client, raw: bytes) -> None:
    assert is_an_answer(http.get("/api/contacts/status?" + "".join(f"%{byte:02X}" for byte in raw) + "=%FF&email=%C3"))
