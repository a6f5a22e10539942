"""Serves what the route table says about itself: ``/openapi.json`` and ``/docs``."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache

from api.answer import ENCODER, Answer
from api.call import Call
from api.docs import page
from api.openapi import document
from api.routing import Endpoint, Route

HTML = b"text/html; charset=utf-8"
POLICY = (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'")


def documentation(routes: Callable[[], Iterable[Route]]) -> tuple[Endpoint, Endpoint]:
    """The endpoints of the document and of the page; both are made once, on the first request."""

    @cache
    def made() -> tuple[bytes, bytes]:
        whole = document(routes())
        return ENCODER.encode(whole), page(whole).encode()

    async def openapi(_: Call) -> Answer:
        """Give the OpenAPI 3.1 document."""
        return Answer(body=made()[0])

    async def docs(_: Call) -> Answer:
        """Give the documentation as a page."""
        return Answer(body=made()[1], content_type=HTML, headers=(POLICY,))

    return openapi, docs
