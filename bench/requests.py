"""Requests as bytes, rendered before anything is timed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec

from bench.scopes import Scope


def get(scope: Scope, path: str, query: Mapping[str, Any], headers: bytes = b"") -> bytes:
    """A GET in a scope."""
    fields = {"audience": scope.audience, "client": scope.client, **query}
    return b"GET %s?%s HTTP/1.1\r\n%s%s\r\n" % (path.encode(), urlencode(fields).encode(), common(scope), headers)


def post(scope: Scope, path: str, fields: Mapping[str, Any]) -> bytes:
    """A POST of JSON in a scope."""
    body = msgspec.json.encode({"audience": scope.audience, "client": scope.client, **fields})
    return posted(scope, path, b"application/json", body)


def posted(scope: Scope, path: str, content_type: bytes, body: bytes) -> bytes:
    """A POST of any body."""
    head = b"Content-Type: %s\r\nContent-Length: %d\r\n" % (content_type, len(body))
    return b"POST %s HTTP/1.1\r\n%s%s\r\n%s" % (quote(path).encode(), common(scope), head, body)


def common(scope: Scope) -> bytes:
    """The headers of every request."""
    return b"Host: 127.0.0.1\r\nAuthorization: Bearer %s\r\n" % scope.key.encode()
