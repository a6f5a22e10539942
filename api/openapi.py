"""The OpenAPI 3.1 document of a route table: paths, parameters and schemas from the routes and their types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from inspect import getdoc
from typing import Any, Final

import msgspec

from api.chapters import chapter
from api.errors import CONFLICTS, SCOPE
from api.fields import Scoped
from api.readers import reader_of
from api.routing import Route
from api.webhook_document import outgoing
from domain.store.cloud_event import CloudEvent

REF = "#/components/schemas/{name}"
VERSION = "0.1.0"
ABOUT = "Datamailer: contacts, consent and email for several products from one event-sourced service."
Json = dict[str, Any]
ACCEPTED = 202

ERROR_SCHEMA: Json = {
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["code"],
            "properties": {
                "code": {"type": "string"},
                "message": {"type": "string"},
                "fields": {"type": "object", "additionalProperties": {"type": "string"}},
                "allowed_methods": {"type": "array", "items": {"type": "string"}},
            },
        }
    },
}

HEADERS: Json = {
    "Datamailer-Position": {
        "description": "The log position that the answer reflects.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "Datamailer-Correlation-Id": {
        "description": "What the service's log calls this request; a UUID of the client's own is kept.",
        "schema": {"type": "string", "format": "uuid"},
    },
}
LOCATION: Json = {"description": "Where the job is to be looked for.", "schema": {"type": "string"}}

PARAMETERS: Json = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "A repeat within 24 hours gets the first answer, with Idempotent-Replayed: true.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    },
    "MinPosition": {
        "name": "min_position",
        "in": "query",
        "description": "The answer includes everything up to this log position; the header "
        "Datamailer-Min-Position says the same. It is waited for up to 5 seconds.",
        "schema": {"type": "integer", "minimum": 0},
    },
}

SECURITY: Final[Json] = {
    "client": {"type": "http", "scheme": "bearer", "description": "An API key: dm_<public_id>_<secret>."},
    "operator": {"type": "http", "scheme": "bearer", "description": "The operator's key."},
}


def document(routes: Iterable[Route]) -> Json:
    """The whole document."""
    listed = [route for route in routes if route.listed]
    types = {kind for route in listed for kind in (route.takes, route.gives, route.job) if kind is not None}
    types.add(CloudEvent)
    ordered = sorted(types, key=lambda kind: kind.__qualname__)
    refs, schemas = msgspec.json.schema_components(ordered, ref_template=REF)
    ref_of = dict(zip(ordered, refs, strict=True))
    paths: dict[str, Json] = {}
    for route in listed:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, ref_of, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Datamailer", "version": VERSION, "description": ABOUT, "license": {"name": "MIT"}},
        "paths": paths,
        "webhooks": outgoing(ref_of[CloudEvent]),
        "components": {
            "schemas": {**schemas, "Error": ERROR_SCHEMA},
            "parameters": PARAMETERS,
            "headers": {**HEADERS, "Location": LOCATION},
            "securitySchemes": SECURITY,
        },
    }


def operation(route: Route, ref_of: Mapping[type, Json], schemas: Mapping[str, Json]) -> Json:
    """One method of one path."""
    about = getdoc(route.run) or ""
    described: Json = {
        "operationId": operation_id(route),
        "tags": [chapter(route.path)],
        "summary": about.partition("\n")[0],
        "security": [] if route.access == "public" else [{route.access: []}],
        "parameters": parameters(route, ref_of, schemas),
        "responses": responses(route, ref_of),
    }
    if route.takes is not None and getdoc(route.takes):
        described["description"] = getdoc(route.takes)
    if has_body(route):
        schema = ref_of[route.takes] if route.takes is not None else {}
        media = route.consumes or ("application/json",)
        described["requestBody"] = {
            "required": route.method != "DELETE",
            "content": {kind: {"schema": schema} for kind in media},
        }
    return described


def operation_id(route: Route) -> str:
    """A name that no other operation has."""
    words = [
        part.replace("{", "").replace("}", "").replace("-", "_").replace(".", "_")
        for part in route.path.split("/")
        if part
    ]
    return "_".join([route.method.lower(), *words])


def has_body(route: Route) -> bool:
    """Whether the route reads a body."""
    return bool(route.consumes) or (route.takes is not None and not route.from_query)


def parameters(route: Route, ref_of: Mapping[type, Json], schemas: Mapping[str, Json]) -> list[Json]:
    """Names in the path, fields of the query, and headers."""
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": path_schema(name)} for name in route.names
    ]
    if route.takes is not None and route.from_query:
        schema = schemas[str(ref_of[route.takes]["$ref"]).rpartition("/")[2]]
        required = schema.get("required", ())
        found += [
            {"name": name, "in": "query", "required": name in required, "schema": kind}
            for name, kind in schema["properties"].items()
        ]
    if route.method == "POST" and route.access != "public":
        found.append({"$ref": "#/components/parameters/IdempotencyKey"})
    if route.projection:
        found.append({"$ref": "#/components/parameters/MinPosition"})
    return found


def path_schema(name: str) -> Json:
    """What a name in a path stands for."""
    return {"type": "integer", "minimum": 1} if name.endswith("_id") and name != "public_id" else {"type": "string"}


def responses(route: Route, ref_of: Mapping[type, Json]) -> Json:
    """Every status that the route answers with, each error with its codes."""
    media = route.produces or ("application/json",)
    schema = {} if route.gives is None else ref_of[route.gives]
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in HEADERS}
    success: Json = {"description": "Done.", "headers": headers, "content": {m: {"schema": schema} for m in media}}
    answers: Json = {str(status): success for status in (route.status, *route.also)}
    if route.location:
        answers[str(ACCEPTED)] = accepted(ref_of[route.job or route.gives], headers)
    for status, codes in sorted(error_codes(route).items()):
        lines = [f"{field or 'request'}: {', '.join(of_field)}" for field, of_field in codes.items()]
        error: Json = {"$ref": REF.format(name="Error")}
        answers[str(status)] = {
            "description": "; ".join(lines),
            "content": {"application/json": {"schema": {"anyOf": [schema, error]} if status in route.also else error}},
            "x-error-codes": codes,
        }
    return answers


def accepted(schema: Json, headers: Json) -> Json:
    """A job was begun, and where it is to be looked for."""
    told = {**headers, "Location": {"$ref": "#/components/headers/Location"}}
    return {"description": "Begun.", "headers": told, "content": {"application/json": {"schema": schema}}}


def error_codes(route: Route) -> dict[int, dict[str, list[str]]]:
    """The codes of each error status: by field, or under "" for the request as a whole."""
    found: dict[int, dict[str, list[str]]] = {}

    def add(status: int, field: str, *codes: str) -> None:
        found.setdefault(status, {}).setdefault(field, []).extend(codes)

    if route.access != "public":
        inactive = ("inactive_client",) if route.access == "client" else ()
        add(401, "", "missing_authorization", "invalid_authorization", "invalid_api_key", *inactive)
        add(503, "", "unavailable", *(("projection_behind",) if route.projection else ()))
    if has_body(route):
        add(400, "body", "invalid_json", "must_be_object")
        add(413, "", "payload_too_large")
        add(415, "", "unsupported_media_type")
    for field, codes in field_codes(route):
        add(field_status(field, codes), field, codes)
    if route.method == "POST" and route.access != "public":
        add(400, "Idempotency-Key", "required", "too_long")
        add(409, "", "request_in_progress")
        add(422, "", "idempotency_mismatch")
    if route.projection:
        add(400, "min_position", "must_be_integer", "must_be_positive")
    return found


def field_codes(route: Route) -> Iterable[tuple[str, str]]:
    """Each field with each code that it may get, from the request type and from the table."""
    takes = route.takes
    if takes is not None:
        for field, codes in reader_of(takes, from_text=route.from_query).codes.items():
            yield from ((field, code) for code in codes if field)
        if issubclass(takes, Scoped):
            yield from (("audience", "not_found"), ("client", "forbidden"))
    for field, codes_said in route.refuses.items():
        yield from ((field, code.strip()) for code in codes_said.split(","))


def field_status(field: str, code: str) -> int:
    """The status of an answer that has only this field wrong."""
    if code == "forbidden":
        return 403
    if code in CONFLICTS:
        return 409
    return 404 if code == "not_found" and field not in SCOPE else 400
