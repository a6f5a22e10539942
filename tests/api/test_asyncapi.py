"""The AsyncAPI document: every event version, and the messages as they really go out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import jsonschema
import pytest
from referencing import Registry
from referencing.jsonschema import DRAFT7

from api.asyncapi import HEADERS, OPTIONAL, message_name
from api.cli import main
from consumers.messages import headers_of, too_large
from consumers.topics import EVENTS as TOPIC
from domain.catalog import EVENTS
from domain.published import published
from domain.store.recorded import Recorded
from tests.api.serving import MASTER_KEY_TEXT
from tests.golden.__main__ import FOLDER

Json = dict[str, Any]


@pytest.fixture(scope="module")
def document(anybody: httpx.Client) -> Json:
    response = anybody.get("/asyncapi.json")
    assert response.status_code == 200
    found: Json = response.json()
    return found


def refs(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from refs(inner)


def target(document: Any, ref: str) -> Any:
    for part in ref.removeprefix("#/").split("/"):
        document = document[part]
    return document


def validator(document: Json, ref: str) -> Any:
    """Of a schema inside the document."""
    registry: Any = Registry().with_resource("urn:events", DRAFT7.create_resource(document))
    return jsonschema.Draft7Validator({"$ref": f"urn:events{ref}"}, registry=registry)


def test_the_document_is_asyncapi_3_0(document: Json) -> None:
    """What the specification requires of each object that stands in it."""
    assert document["asyncapi"] == "3.0.0"
    assert document["info"].keys() >= {"title", "version"}
    for server in document["servers"].values():
        assert server.keys() >= {"host", "protocol"}
    for operation in document["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert target(document, operation["channel"]["$ref"])["address"] == TOPIC
    for kind in document["components"].values():
        assert all(name.replace(".", "").replace("_", "").isalnum() for name in kind)
    found = set(refs(document))
    assert all(target(document, ref) for ref in found)
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft7Validator.check_schema(schema)
        assert any(ref.endswith(f"/{name}") for ref in found)


@pytest.mark.parametrize("topic", sorted({*EVENTS, *published()}))
def test_every_event_version_is_there(document: Json, topic: str) -> None:
    name = message_name(topic)
    message = target(document, document["channels"]["events"]["messages"][name]["$ref"])
    assert message["name"] == topic
    assert message["summary"]
    golden = json.loads((FOLDER / f"{topic}.json").read_bytes())
    payload = validator(document, message["payload"]["$ref"])
    payload.validate(golden)
    assert not payload.is_valid({name: value for name, value in golden.items() if name != "at"})


@pytest.mark.parametrize("topic", sorted(EVENTS))
def test_messages_have_the_headers_that_it_says(document: Json, topic: str) -> None:
    now = datetime(2026, 5, 24, 12, tzinfo=UTC)
    caused = Recorded(7, uuid4(), 1, topic, b"{}", 1, 2, 3, now, uuid4(), 5, "api")
    alone = Recorded(8, uuid4(), 1, topic, b"{}", 0, 0, 0, now, uuid4(), None, "operator")
    sent = [headers_of(event, 0, str(uuid4()).encode()) for event in (caused, alone)]
    sent.append(too_large(caused, sent[0]))
    said = validator(document, f"#/components/messages/{message_name(topic)}/headers")
    for headers in sent:
        texts = {name: value.decode() for name, value in headers}
        said.validate(texts)
        assert texts.keys() <= HEADERS.keys()
        assert texts.keys() >= HEADERS.keys() - OPTIONAL
        assert not said.is_valid({**texts, "ce_version": "99"})


def test_the_command_writes_the_same(
    document: Json, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@/nothing")
    monkeypatch.setenv("MASTER_KEY", MASTER_KEY_TEXT)
    assert main(["asyncapi"]) == 0
    assert json.loads(capsys.readouterr().out) == document
