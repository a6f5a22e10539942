"""What a transactional request may add to its template: copies, a reply address, headers, further text parts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import msgspec

from domain.decider import Rejected
from domain.mail import HEADER_NAME, Header, Part
from domain.mailbox import encoded, has_control, mailbox
from domain.rendering import TEXT_LIMIT

HEADERS_LIMIT: Final = 20
PARTS_LIMIT: Final = 10
COPIES_LIMIT: Final = 49
"""Copies beside the recipient: SES takes 50 addresses with a mail."""
HEADER_VALUE_LIMIT: Final = 995
FILENAME_LIMIT: Final = 255
RESERVED: Final = frozenset(
    {"to", "from", "cc", "bcc", "subject", "reply-to", "content-type", "sender", "date", "message-id", "mime-version"}
    | {"content-transfer-encoding", "content-disposition", "return-path", "received", "dkim-signature"}
)
"""Headers that are the service's own or SES's; so is all that starts with ``x-ses-``."""
_PARAMETER: Final = r"[ ]*;[ ]*[a-zA-Z-]{1,40}=[a-zA-Z0-9._-]{1,80}"
_CONTENT_TYPE: Final = re.compile(rf"text/[a-zA-Z0-9][a-zA-Z0-9.+-]{{0,60}}(?:{_PARAMETER}){{0,5}}")
_BODY_TYPES: Final = frozenset({"text/html", "text/plain"})


class Wishes(msgspec.Struct, frozen=True, kw_only=True):
    """Addresses are ``address`` or ``Name <address>``."""

    reply_to: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    parts: tuple[Part, ...] = ()


def check_wishes(wishes: Wishes) -> dict[str, str]:
    """Give a code for every wrong field (contract, Transactional mail).

    ``invalid``, ``too_long`` or ``unsupported`` on ``reply_to``, ``cc.<n>``, ``bcc.<n>``; ``invalid_name``,
    ``reserved``, ``invalid_value`` or ``duplicate`` on ``headers.<name>``; ``required``, ``invalid`` or ``unsupported``
    on ``message_parts.<n>.content_type``, ``required`` on ``.content``, ``invalid`` on ``.filename``; ``too_many`` and
    ``too_large`` on each of them as a whole.
    """
    return dict([*_wrong_addresses(wishes), *_wrong_headers(wishes.headers), *_wrong_parts(wishes.parts)])


def _wrong_addresses(wishes: Wishes) -> Iterator[tuple[str, str]]:
    if len(wishes.cc) + len(wishes.bcc) > COPIES_LIMIT:
        yield ("cc" if wishes.cc else "bcc"), "too_many"
        return
    named = [("reply_to", wishes.reply_to)] if wishes.reply_to else []
    named += [(f"{kind}.{n}", text) for kind in ("cc", "bcc") for n, text in enumerate(getattr(wishes, kind))]
    for field, text in named:
        try:
            _ = mailbox(text).header
        except Rejected as refusal:
            yield field, refusal.fields["email"]


def _wrong_headers(headers: tuple[Header, ...]) -> Iterator[tuple[str, str]]:
    if len(headers) > HEADERS_LIMIT:
        yield "headers", "too_many"
    names: set[str] = set()
    for header in headers[:HEADERS_LIMIT]:
        lower = header.name.lower()
        if code := _wrong_header(header) or ("duplicate" if lower in names else ""):
            yield f"headers.{header.name}", code
        names.add(lower)


def _wrong_header(header: Header) -> str:
    if not HEADER_NAME.fullmatch(header.name):
        return "invalid_name"
    if header.name.lower() in RESERVED or header.name.lower().startswith("x-ses-"):
        return "reserved"
    if not header.value.strip() or has_control(header.value):
        return "invalid_value"
    return "invalid_value" if len(encoded(header.value, header.name)) > HEADER_VALUE_LIMIT else ""


def _wrong_parts(parts: tuple[Part, ...]) -> Iterator[tuple[str, str]]:
    if len(parts) > PARTS_LIMIT:
        yield "message_parts", "too_many"
    if sum(len(part.content) for part in parts) > TEXT_LIMIT:
        yield "message_parts", "too_large"
    for n, part in enumerate(parts[:PARTS_LIMIT]):
        field = f"message_parts.{n}"
        if code := _wrong_type(part):
            yield f"{field}.content_type", code
        if not part.content:
            yield f"{field}.content", "required"
        if has_control(part.filename) or "/" in part.filename or len(part.filename) > FILENAME_LIMIT:
            yield f"{field}.filename", "invalid"


def _wrong_type(part: Part) -> str:
    """A second text or HTML body would leave open which is meant: those need a file name."""
    if not part.content_type:
        return "required"
    if not _CONTENT_TYPE.fullmatch(part.content_type):
        return "invalid" if "/" not in part.content_type or part.content_type.startswith("text/") else "unsupported"
    bare = part.content_type.partition(";")[0].strip().lower()
    return "unsupported" if bare in _BODY_TYPES and not part.filename else ""
