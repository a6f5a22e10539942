"""The OpenAPI document and the page made from it (contract, Service)."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import httpx
import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.app import ROUTES
from api.routing import Route
from tests.api.serving import COURSES

Json = dict[str, Any]
LISTED = [route for route in ROUTES if route.listed]


@pytest.fixture(scope="module")
def document(anybody: httpx.Client) -> Json:
    response = anybody.get("/openapi.json")
    assert response.headers["Content-Type"] == "application/json"
    found: Json = response.json()
    return found


def test_the_document_is_valid_openapi_3_1(document: Json) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


@pytest.mark.parametrize("route", LISTED, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_documented_with_its_errors(document: Json, route: Route) -> None:
    operation = document["paths"][route.path][route.method.lower()]
    assert operation["summary"].endswith(".")
    responses = operation["responses"]
    assert str(route.status) in responses
    for refused in route.refuses:
        assert any(refused in answer.get("x-error-codes", {}) for answer in responses.values()), refused
    if route.access != "public":
        assert "missing_authorization" in responses["401"]["x-error-codes"][""]
        assert "unavailable" in responses["503"]["x-error-codes"][""]
        assert operation["security"] == [{route.access: []}]
    if route.takes is not None and not route.from_query:
        assert {"400", "413", "415"} <= set(responses)
        assert "requestBody" in operation
    assert set(route.names) <= {p.get("name") for p in operation["parameters"]}


def test_the_codes_of_a_field_are_those_that_it_gets(document: Json) -> None:
    responses = document["paths"]["/api/contacts"]["post"]["responses"]
    codes = responses["400"]["x-error-codes"]
    assert codes["email"] == ["required", "must_be_string", "invalid"]
    assert codes["tags"] == ["must_be_list", "must_be_non_empty_strings", "invalid", "too_long"]
    assert codes["email_validation.validated_at"] == ["must_be_iso_datetime"]
    assert codes["audience"] == ["required", "must_be_string", "invalid", "not_found"]
    assert responses["403"]["x-error-codes"]["client"] == ["forbidden"]
    assert responses["422"]["x-error-codes"][""] == ["idempotency_mismatch"]
    tag = document["paths"]["/api/contacts/{contact_id}/tags/{tag_slug}"]["post"]["responses"]
    assert tag["404"]["x-error-codes"] == {"contact_id": ["not_found"]}


def test_an_answer_fits_its_schema(document: Json, http: httpx.Client) -> None:
    answer = http.get("/api/contacts/status", params={"email": "learner@example.com", **COURSES}).json()
    schema = {"$ref": "#/components/schemas/ContactPayload", "components": document["components"]}
    jsonschema.Draft202012Validator(schema).validate(answer)
    error = http.get("/api/contacts/status").json()
    jsonschema.Draft202012Validator({**schema, "$ref": "#/components/schemas/Error"}).validate(error)


def test_a_job_s_answer_has_its_own_schema_and_says_where_the_job_is(document: Json) -> None:
    responses = document["paths"]["/api/contacts/imports/csv"]["post"]["responses"]
    schemas = [responses[status]["content"]["application/json"]["schema"]["$ref"] for status in ("200", "202")]
    assert schemas == ["#/components/schemas/Imported", "#/components/schemas/JobAnswer"]
    assert "Location" in responses["202"]["headers"]
    assert "Location" not in responses["200"]["headers"]
    members = document["paths"]["/api/recipient-lists/{key}/imports"]["post"]["responses"]["202"]
    assert "Location" in members["headers"]


class Words(HTMLParser):
    """Collects what a page links to, and that its elements are closed in order."""

    VOID = frozenset({"meta", "br", "link", "img", "input", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in self.VOID:
            self.open.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_shows_every_route_and_loads_nothing(anybody: httpx.Client) -> None:
    response = anybody.get("/docs")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    words = Words()
    words.feed(response.text)
    assert words.open == []
    assert all(link.startswith("#") or link == "openapi.json" for link in words.links)
    assert not re.search(r"url\(|@import|<script", response.text)
    for route in LISTED:
        assert route.path in response.text


def test_the_chapters_are_those_of_the_service_s_parts(document: Json, anybody: httpx.Client) -> None:
    operations = [operation for methods in document["paths"].values() for operation in methods.values()]
    names = list(dict.fromkeys(operation["tags"][0] for operation in operations))
    assert names == [
        "Contacts",
        "Import and export",
        "Subscriptions",
        "Senders, templates, transactional mail",
        "Campaigns",
        "Recipient lists",
        "Events and webhooks",
        "Administration",
        "Public routes",
        "Service",
    ]
    page = anybody.get("/docs").text
    assert re.findall(r'<h2 id="[a-z-]+">([^<]*)</h2>', page) == names
    assert re.findall(r'<a href="#([a-z-]+)">', page) == re.findall(r'<h2 id="([a-z-]+)">', page)
