"""A page for people, made from the OpenAPI document: nothing is loaded from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

from domain.slug import slugify

Json = dict[str, Any]

STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 18%, transparent); }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem; border-bottom: 1px solid var(--line) }
code, .path { font-family: ui-monospace, monospace; font-size: .92em }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: .5rem .8rem }
summary { cursor: pointer } summary b { display: inline-block; min-width: 4.2rem }
table { border-collapse: collapse; width: 100%; margin: .6rem 0 } caption { text-align: left; font-weight: 600 }
td, th { border-top: 1px solid var(--line); padding: .25rem .5rem .25rem 0; text-align: left; vertical-align: top }
nav a { margin-right: .8rem } .quiet { opacity: .7 }
"""


def page(document: Json) -> str:
    """The whole page."""
    groups: dict[str, list[str]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            shown = operation_html(document, path, method, operation)
            groups.setdefault(operation["tags"][0], []).append(shown)
    links = " ".join(f'<a href="#{slugify(name)}">{escape(name)}</a>' for name in groups)
    body = "".join(f'<h2 id="{slugify(name)}">{escape(name)}</h2>{"".join(shown)}' for name, shown in groups.items())
    info = document["info"]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])} API</title><style>{STYLE}</style></head><body>"
        f"<h1>{escape(info['title'])} API</h1><p>{escape(info['description'])} "
        '<a href="openapi.json">OpenAPI document</a></p>'
        f"<nav>{links}</nav>{body}</body></html>"
    )


def operation_html(document: Json, path: str, method: str, operation: Json) -> str:
    """One method of one path, folded."""
    who = "".join(operation["security"][0]) if operation["security"] else "anybody"
    parts = [
        f'<p class="quiet">For: {escape(who)}</p>',
        paragraph(operation.get("description", "")),
        parameters_html(document, operation["parameters"]),
        body_html(document, operation.get("requestBody")),
        responses_html(operation["responses"]),
    ]
    return (
        f'<details id="{escape(operation["operationId"])}"><summary><b>{escape(method.upper())}</b> '
        f'<span class="path">{escape(path)}</span> <span class="quiet">{escape(operation["summary"])}</span></summary>'
        f"{''.join(parts)}</details>"
    )


def paragraph(text: str) -> str:
    """Text with its code marked."""
    words = escape(text).split("``")
    marked = "".join(f"<code>{word}</code>" if place % 2 else word for place, word in enumerate(words))
    return f"<p>{marked}</p>" if text else ""


def table(caption: str, heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table of cells that are HTML already, nothing when it has no row."""
    lines = [f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows]
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    return f"<table><caption>{escape(caption)}</caption><tr>{head}</tr>{''.join(lines)}</table>" if lines else ""


def parameters_html(document: Json, parameters: Iterable[Json]) -> str:
    """Path, query and header parameters."""
    found = [resolved(document, parameter) for parameter in parameters]
    rows = [
        (
            f"<code>{escape(each['name'])}</code>{'*' if each.get('required') else ''}",
            escape(each["in"]),
            kind(document, each["schema"]),
            escape(each.get("description", "")),
        )
        for each in found
    ]
    return table("Parameters", ("name", "in", "type", ""), rows)


def body_html(document: Json, body: Json | None) -> str:
    """The fields of the body."""
    if body is None:
        return ""
    media, content = next(iter(body["content"].items()))
    schema = resolved(document, content["schema"])
    required = schema.get("required", ())
    rows = [
        (f"<code>{escape(name)}</code>{'*' if name in required else ''}", kind(document, field))
        for name, field in schema.get("properties", {}).items()
    ]
    types = ", ".join(body["content"]) if len(body["content"]) > 1 else media
    return table(f"Body ({types})", ("field", "type"), rows)


def responses_html(responses: Json) -> str:
    """What comes back, errors with their codes."""
    rows = []
    for status, response in responses.items():
        codes: Json = response.get("x-error-codes", {})
        listed = "<br>".join(
            (f"<code>{escape(field)}</code>: " if field else "") + escape(", ".join(of_field))
            for field, of_field in codes.items()
        )
        rows.append((escape(status), listed or escape(response["description"])))
    return table("Answers", ("status", ""), rows)


def resolved(document: Json, node: Json) -> Json:
    """The thing itself where a reference stands."""
    found: Json = node
    if "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
    return found


def kind(document: Json, schema: Json) -> str:
    """A type in a few words."""
    if "$ref" in schema:
        fields = resolved(document, schema).get("properties", {})
        return "{" + ", ".join(f"<code>{escape(name)}</code>" for name in fields) + "}"
    if "anyOf" in schema:
        return " or ".join(kind(document, choice) for choice in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {kind(document, schema.get('items', {}))}"
    words = [str(schema.get("type", "anything")), str(schema.get("format", ""))]
    if "maxLength" in schema:
        words.append(f"of at most {schema['maxLength']} characters")
    return escape(" ".join(word for word in words if word))
