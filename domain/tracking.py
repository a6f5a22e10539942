"""What makes a mail tell of itself: tracked links, the open pixel, and the way out, each with a token per message."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from html import escape
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec

from domain.links import Signer, UnsubscribeLink
from domain.markup import LinkPlace, body_end, body_start, html_links, text_links
from domain.skeleton import Edit, Skeleton, skeleton

LINKS_LIMIT: Final = 500
"""Links of one mail that are tracked; those beyond stay as they are."""
_OPEN, _OUT = "open", "out"
_UNTRACKED: Final = re.compile(r"https?://[^/?#]+/(?:unsubscribe(?![^/?#])|t/[co]/)", re.IGNORECASE)
"""Ways out, and the public routes of this service."""
_PIXEL: Final = ('<img src="', '.gif" width="1" height="1" alt="" style="display:block;border:0;width:1px;height:1px">')
_PREVIEW: Final = (
    '<div style="display:none;font-size:1px;line-height:1px;max-height:0;opacity:0;overflow:hidden;mso-hide:all">',
    "</div>",
)
_PADDING: Final = "&#847;&zwnj;&nbsp;" * 60
"""Keeps mail programs from showing the start of the body after the preview text."""
_FOOTER: Final = (
    '<p style="margin:24px 0;color:#666;font:12px/1.5 sans-serif;text-align:center">',
    ' <a href="',
    '" style="color:#666">Unsubscribe</a></p>',
)


class Site(msgspec.Struct, frozen=True):
    """Where the public routes are, ``https://mail.example.com``, and who signs the tokens in them."""

    base_url: str
    signer: Signer

    @property
    def pixel(self) -> str:
        """What stands before the token of a pixel."""
        return f"{self.base_url}/t/o/"

    @property
    def click(self) -> str:
        """What stands before the token of a link."""
        return f"{self.base_url}/t/c/"

    @property
    def out(self) -> str:
        """What stands before the token of a way out."""
        return f"{self.base_url}/unsubscribe/"


class Tracked(msgspec.Struct, frozen=True):
    """Both halves of a mail with slots for tokens.

    ``links`` are the pages that the mail leads to, by number, ``slots`` the slots of their tokens.
    """

    html: Skeleton
    text: Skeleton
    links: tuple[str, ...]
    slots: tuple[str, ...]

    def tokens(self, signer: Signer, stream: UUID, out: UnsubscribeLink | None = None) -> dict[str, str]:
        """Make the tokens of one message by slot. ``out`` is needed where the mail has a way out."""
        values = dict(zip(self.slots, signer.clicks(stream, self.links), strict=True))
        values[_OPEN] = signer.open(stream)
        if out is not None:
            values[_OUT] = signer.unsubscribe(out)
        return values


class Footer(msgspec.Struct, frozen=True):
    """Why the person gets the mail, one sentence, before the way out."""

    reason: str


def links_of(html: str, text: str) -> tuple[str, ...]:
    """Give the pages that the halves of a mail lead to and that are tracked, by number: once each, in order."""
    return _numbered((*html_links(html), *text_links(text)))


def _numbered(places: Iterable[LinkPlace]) -> tuple[str, ...]:
    urls = (place.url for place in places if not _UNTRACKED.match(place.url))
    return tuple(islice(dict.fromkeys(urls), LINKS_LIMIT))


def tracked(html: str, text: str, site: Site, *, preview: str = "", footer: Footer | None = None) -> Tracked:
    """Put slots into the halves of a mail, of which either may be empty and stays so. All else is left as it is.

    ``preview`` is what mail programs show beside the subject.
    """
    in_html, in_text = html_links(html), text_links(text)
    links = _numbered((*in_html, *in_text))
    slots = {url: f"l{number}" for number, url in enumerate(links)}
    html_edits, text_edits = _edits(in_html, site, slots), _edits(in_text, site, slots)
    if html:
        if preview:
            start = body_start(html)
            html_edits.insert(0, (start, start, (f"{_PREVIEW[0]}{escape(preview)}{_PADDING}{_PREVIEW[1]}",)))
        html_edits.append(_ending(html, site, footer))
    if text and footer is not None:
        text_edits.append((len(text), len(text), (f"\n\n-- \n{footer.reason}\nUnsubscribe: {site.out}", _OUT, "\n")))
    return Tracked(skeleton(html, html_edits), skeleton(text, text_edits), links, tuple(slots.values()))


def framed(html: str, text: str, out: str, *, preview: str = "", footer: Footer) -> tuple[str, str]:
    """Give the halves of a mail as ``tracked`` would make them look, with their own links and no pixel.

    ``out`` is where the way out leads.
    """
    start, end = body_start(html), body_end(html)
    edits: list[Edit] = []
    if preview:
        edits.append((start, start, (f"{_PREVIEW[0]}{escape(preview)}{_PADDING}{_PREVIEW[1]}",)))
    edits.append(
        (end, end, (f"{_FOOTER[0]}{escape(footer.reason, quote=False)}{_FOOTER[1]}{escape(out)}{_FOOTER[2]}",))
    )
    return skeleton(html, edits).fill({}), f"{text}\n\n-- \n{footer.reason}\nUnsubscribe: {out}\n"


def _edits(places: Iterable[LinkPlace], site: Site, slots: Mapping[str, str]) -> list[Edit]:
    return [(p.start, p.end, (site.click, slots[p.url], "")) for p in places if p.url in slots]


def _ending(html: str, site: Site, footer: Footer | None) -> Edit:
    end = body_end(html)
    pixel = (f"{_PIXEL[0]}{site.pixel}", _OPEN, _PIXEL[1])
    if footer is None:
        return (end, end, pixel)
    before = f"{_FOOTER[0]}{escape(footer.reason, quote=False)}{_FOOTER[1]}{site.out}"
    return (end, end, (before, _OUT, _FOOTER[2] + pixel[0], *pixel[1:]))
