"""The other half of a mail that was given in one form only: a text from HTML, HTML from a text."""

from __future__ import annotations

import re
from html import escape, unescape
from typing import Final

from domain.markup import attribute, tags, text_links

_BLOCKS: Final = frozenset(
    {"address", "article", "blockquote", "center", "div", "dl", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6"}
    | {"header", "main", "ol", "p", "pre", "section", "table", "tr", "ul"}
)
_HIDDEN: Final = frozenset({"head", "script", "style", "title", "iframe", "noembed", "noframes", "template"})
_MARKS: Final = {"br": "\n", "li": "\n- ", "hr": "\n---\n", "td": " ", "th": " ", "dt": "\n", "dd": "\n  "}
_SPACES: Final = re.compile(r"\s+")
_AROUND_BREAK: Final = re.compile(r" *\n *")
_BLANK_LINES: Final = re.compile(r"\n{3,}")
_PARAGRAPHS: Final = re.compile(r"\n[ \t]*(?:\n[ \t]*)+")


def text_of(html: str) -> str:
    """Say in plain text what HTML says: blocks on lines of their own, links followed by where they lead."""
    pieces: list[str] = []
    position, hidden, link, linked = 0, "", "", 0
    for tag in tags(html):
        if not hidden:
            pieces.append(_SPACES.sub(" ", unescape(html[position : tag.start])))
        position = tag.end
        if hidden:
            over = tag.name == hidden if tag.closing else (hidden, tag.name) == ("head", "body")
            hidden = "" if over else hidden
        elif tag.name in _HIDDEN and not tag.closing:
            hidden = tag.name
        elif tag.name == "a":
            if tag.closing and link and link != "".join(pieces[linked:]).strip():
                pieces.append(f" ({link})")
            place = None if tag.closing else attribute(html, tag, "href")
            link, linked = "" if place is None else _shown(unescape(html[slice(*place)])), len(pieces)
        elif tag.name in _BLOCKS:
            pieces.append("\n" if tag.name in {"tr", "div"} else "\n\n")
        elif not tag.closing:
            pieces.append(_MARKS.get(tag.name, ""))
    if not hidden:
        pieces.append(_SPACES.sub(" ", unescape(html[position:])))
    return _BLANK_LINES.sub("\n\n", _AROUND_BREAK.sub("\n", re.sub(r" {2,}", " ", "".join(pieces)))).strip()


def _shown(url: str) -> str:
    url = url.strip()
    if url.lower().startswith("mailto:"):
        return url[7:].partition("?")[0]
    return url if url.lower().startswith(("http://", "https://", "tel:")) else ""


def html_of(text: str) -> str:
    """Make a page of a plain text: paragraphs at blank lines, web addresses as links."""
    pieces, position = [], 0
    for link in text_links(text):
        url = escape(link.url)
        pieces += [escape(text[position : link.start], quote=False), f'<a href="{url}">{url}</a>']
        position = link.end
    pieces.append(escape(text[position:], quote=False))
    paragraphs = _PARAGRAPHS.split("".join(pieces).replace("\r\n", "\n").strip())
    body = "\n".join(f"<p>{'<br>'.join(paragraph.split(chr(10)))}</p>" for paragraph in paragraphs)
    return f'<!doctype html>\n<html><head><meta charset="utf-8"></head><body>\n{body}\n</body></html>\n'
