"""What a line of the route table says, and how a request finds its line."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, Literal
from urllib.parse import unquote

import msgspec
from starlette.responses import Response

from api.answer import Answer
from api.errors import method_not_allowed, unknown_path

Access = Literal["client", "operator", "public"]
Endpoint = Callable[..., Awaitable[Answer | Response]]


class Route(msgspec.Struct, frozen=True):
    """One method of one path.

    ``run`` gets the call, and the built ``takes`` when there is one: read from the query of a GET, from the JSON body
    of anything else. ``gives`` is the type of the answer; ``refuses`` names codes that only the domain finds, by field.
    ``consumes`` and ``produces`` list media types other than JSON. A route that is not ``listed`` stands in no
    document and no Allow header: it is there to give a better error. ``projection`` is the read model that the answer
    comes from: the application waits for the position that the request wants it to reflect. ``also`` are statuses other
    than ``status`` that come with ``gives``; ``job`` is the type of a 202 that comes instead of it. ``location`` is
    where the job of a 202 is to be looked for: names are those of the path, and ``job`` is its number.
    """

    method: str
    path: str
    run: Endpoint
    takes: type[msgspec.Struct] | None = None
    gives: Any = None
    access: Access = "client"
    status: int = 200
    refuses: Mapping[str, str] = {}
    consumes: tuple[str, ...] = ()
    produces: tuple[str, ...] = ()
    listed: bool = True
    projection: str = ""
    also: tuple[int, ...] = ()
    job: Any = None
    location: str = ""

    @property
    def from_query(self) -> bool:
        """Whether ``takes`` stands in the query."""
        return self.method == "GET"

    @property
    def names(self) -> tuple[str, ...]:
        """The names in the path, in order. What follows a name within its segment is a part of its text."""
        return tuple(part[1 : part.index("}")] for part in self.path.split("/") if part.startswith("{"))


Methods = dict[str, Route]


class Node(msgspec.Struct):
    """The routes that go on from a segment: by its text, or by any text."""

    literal: dict[str, Node] = {}
    anything: Node | None = None
    methods: Methods = {}


class Router:
    """Finds the route of a request. One trailing slash more makes no difference.

    A path without names is found by one lookup, any other segment by segment. A fixed text comes before a name, but
    only for the methods that it has: a thing may be named like it.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self._exact: dict[bytes, Methods] = {}
        self._root = Node()
        for route in routes:
            methods = self._grown(route.path).methods
            add(methods, route)
            if not route.names:
                self._exact[route.path.encode()] = methods

    def find(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        """The route and the texts of its path's names. Raises ApiError 404 and 405."""
        methods = self._exact.get(raw_path)
        if methods is None and len(raw_path) > 1 and raw_path.endswith(b"/"):
            methods = self._exact.get(raw_path[:-1])
        if methods is not None:
            route = methods.get(method)
            if route is None:
                raise method_not_allowed(allowed(methods))
            return route, {}
        return self._walk(method, raw_path)

    def _walk(self, method: str, raw_path: bytes) -> tuple[Route, dict[str, str]]:
        segments = [unquote(part) for part in raw_path.decode("latin-1").split("/")[1:]]
        if segments and not segments[-1]:
            segments.pop()
        there: Methods = {}
        ways: list[tuple[Node, int, tuple[str, ...]]] = [(self._root, 0, ())]
        while ways:
            node, at, texts = ways.pop()
            if at == len(segments):
                if route := node.methods.get(method):
                    return route, dict(zip(route.names, texts, strict=True))
                there |= node.methods
                continue
            if node.anything is not None:
                ways.append((node.anything, at + 1, (*texts, segments[at])))
            if below := node.literal.get(segments[at]):
                ways.append((below, at + 1, texts))
        raise method_not_allowed(allowed(there)) if there else unknown_path()

    def _grown(self, path: str) -> Node:
        node = self._root
        for part in path.split("/")[1:]:
            if part.startswith("{"):
                node.anything = node.anything or Node()
                node = node.anything
            else:
                node = node.literal.setdefault(part, Node())
        return node


def add(methods: Methods, route: Route) -> None:
    """Put a route in its place; a GET answers HEAD too. Raises ValueError when the place is taken."""
    if route.method in methods:
        raise ValueError(route.path)
    methods[route.method] = route
    if route.method == "GET":
        methods["HEAD"] = route


def allowed(methods: Methods) -> list[str]:
    """The methods that a path has, for the client to see."""
    return sorted(method for method, route in methods.items() if route.listed and method != "HEAD")
