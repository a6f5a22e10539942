"""Reads the tags of HTML as browsers tokenize it, with their places in the text, in one pass however broken it is.

The standard library's parser gives no places of attributes and takes the square of the length on hostile input.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Final, NamedTuple

URL_LIMIT: Final = 2_000
"""Characters of a link that is tracked: its token must pass through mail programs whole."""

_ATTRIBUTES: Final = (
    r"""(?:[\s/]++|[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^\s>"'][^\s>]*+|(?=>|\Z)))?+)*+"""
)
_TOKEN: Final = re.compile(
    rf"""<!--(?:-?>|.*?(?:--!?>|\Z))|<[!?].*?(?:>|\Z)|</[^a-zA-Z].*?(?:>|\Z)"""
    rf"""|<(?P<slash>/?)(?P<name>[a-zA-Z][^\s/>]*+)(?P<attributes>{_ATTRIBUTES})(?P<end>>?)""",
    re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(
    r"""(?P<name>[^\s/>][^\s/>=]*+)(?:\s*+=\s*+(?:"(?P<double>[^"]*+)|'(?P<single>[^']*+)|(?P<bare>[^\s>"'][^\s>]*+)))?+["']?"""
)
_RAW: Final = frozenset({"iframe", "noembed", "noframes", "script", "style", "textarea", "title", "xmp"})
"""Elements whose content is text up to their own end tag (HTML standard, section 13.2.5)."""
_RAW_END: Final = {name: re.compile(rf"</{name}(?=[\s/>])", re.IGNORECASE) for name in _RAW}
_DROPPED: Final = str.maketrans("", "", "\t\n\r")
_WEB: Final = re.compile(r"https?://[^\s/?#]", re.IGNORECASE)
_TEXT_LINK: Final = re.compile(r"https?://[^\s<>\"'`]++", re.IGNORECASE)
_SENTENCE_END: Final = ".,;:!?*_~"


class Tag(NamedTuple):
    """A start or end tag, its name in small letters, its text from ``start`` to before ``end``."""

    name: str
    closing: bool
    start: int
    end: int
    attributes: tuple[int, int]


class LinkPlace(NamedTuple):
    """Where a text names a web page: from ``start`` to before ``end``, and the page."""

    start: int
    end: int
    url: str


def tags(html: str) -> Iterator[Tag]:
    """Give the tags in order; not those in comments, attributes, scripts and other raw text."""
    position = 0
    while (match := _TOKEN.search(html, position)) is not None:
        position = match.end()
        if not match["end"]:
            continue
        name, closing = match["name"].lower(), bool(match["slash"])
        yield Tag(name, closing, match.start(), position, match.span("attributes"))
        if name in _RAW and not closing:
            end = _RAW_END[name].search(html, position)
            position = end.start() if end is not None else len(html)


def attribute(html: str, tag: Tag, name: str) -> tuple[int, int] | None:
    """Find the place of an attribute's value; of two the first counts, as in browsers."""
    for match in _ATTRIBUTE.finditer(html, *tag.attributes):
        if match["name"].lower() == name:
            return next((match.span(kind) for kind in ("double", "single", "bare") if match[kind] is not None), None)
    return None


def html_links(html: str) -> list[LinkPlace]:
    """Find the web pages that ``a`` and ``area`` lead to."""
    found = []
    for tag in tags(html):
        if tag.name in {"a", "area"} and not tag.closing and (place := attribute(html, tag, "href")) is not None:
            url = web_page(unescape(html[slice(*place)]))
            if url:
                found.append(LinkPlace(*place, url))
    return found


def text_links(text: str) -> list[LinkPlace]:
    """Find the web pages that a plain text names; a full stop or bracket after one is not part of it."""
    found = []
    for match in _TEXT_LINK.finditer(text):
        url = match[0].rstrip(_SENTENCE_END)
        for opening, closing in ("()", "[]", "{}"):
            if url.endswith(closing) and opening not in url:
                url = url[:-1].rstrip(_SENTENCE_END)
        if web_page(url):
            found.append(LinkPlace(match.start(), match.start() + len(url), url))
    return found


def web_page(url: str) -> str:
    """Give the address as a browser reads it, empty unless it is absolute, of the web and not too long."""
    url = url.translate(_DROPPED).strip()
    return url if _WEB.match(url) and len(url) <= URL_LIMIT else ""


def body_start(html: str) -> int:
    """Find where the first thing that shows can be put in."""
    start = 0
    for tag in tags(html):
        if tag.name == "body" and not tag.closing:
            return tag.end
        if (tag.name, tag.closing) in {("html", False), ("head", True)}:
            start = tag.end
    if start == 0 and (doctype := re.match(r"\s*<!doctype[^>]*>", html, re.IGNORECASE)):
        return doctype.end()
    return start


def body_end(html: str) -> int:
    """Find where the last thing that shows can be put in."""
    ends = {tag.name: tag.start for tag in tags(html) if tag.closing and tag.name in {"body", "html"}}
    return ends.get("body", ends.get("html", len(html)))
