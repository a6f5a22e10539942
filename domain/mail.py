"""What one mail is: sender, recipients, subject, both halves, headers and SES tags, and its RFC 5322 bytes.

Nothing that stands in a header holds a control character: no value can start a header of its own.
"""

from __future__ import annotations

import re
from email.charset import QP, Charset
from email.message import Message
from email.mime.multipart import MIMEMultipart
from email.mime.nonmultipart import MIMENonMultipart
from email.policy import compat32
from typing import Final
from uuid import UUID

import msgspec

from domain.mailbox import Mailbox, encoded, has_control

STREAM_TAG: Final = "datamailer-stream"
"""The SES tag whose value is the message's stream; SES takes letters, digits, ``_`` and ``-`` in both."""
SIMPLE_HEADERS_LIMIT: Final = 15
"""Headers of its own that SES takes with a mail it puts together itself (SES API, MessageHeader)."""
HEADER_NAME: Final = re.compile(r"[!-9;-~]{1,126}")
"""RFC 5322, section 2.2, and the length that SES takes."""
LINE_LIMIT: Final = 998
ONE_CLICK: Final = "List-Unsubscribe=One-Click"
"""RFC 8058, section 3.1."""
FOLDED: Final = 76
"""Characters of a line with encoded words at most (RFC 2047, section 2)."""
_POLICY: Final = compat32.clone(linesep="\r\n")
_READABLE: Final = Charset("utf-8")
_READABLE.body_encoding = QP


class Header(msgspec.Struct, frozen=True):
    """A header beyond those that every mail has."""

    name: str
    value: str


class Part(msgspec.Struct, frozen=True):
    """A further text of the mail: another form of what it says, or with ``filename`` an attachment.

    ``content_type`` is ``text/calendar; method=REQUEST`` or the like.
    """

    content_type: str
    content: str
    filename: str = ""


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail as it goes out. ``html`` or ``text`` may be empty, not both; ``tags`` are for SES.

    Raises ValueError when made with a control character or a wrong name in a header, or with no recipient or body.
    """

    sender: Mailbox
    to: Mailbox
    subject: str
    html: str = ""
    text: str = ""
    cc: tuple[Mailbox, ...] = ()
    bcc: tuple[Mailbox, ...] = ()
    reply_to: tuple[Mailbox, ...] = ()
    headers: tuple[Header, ...] = ()
    parts: tuple[Part, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()
    configuration_set: str = ""

    def __post_init__(self) -> None:
        boxes = (self.sender, self.to, *self.cc, *self.bcc, *self.reply_to)
        lines = [self.subject, *(text for box in boxes for text in (box.address, box.name))]
        lines += [text for header in self.headers for text in (header.name, header.value)]
        lines += [text for part in self.parts for text in (part.content_type, part.filename)]
        if any(map(has_control, lines)) or not all(HEADER_NAME.fullmatch(header.name) for header in self.headers):
            raise ValueError("a header of the mail holds a character that it cannot")
        if not self.to.address or not (self.html or self.text):
            raise ValueError("the mail has no recipient or no body")

    @property
    def ascii_headers(self) -> tuple[Header, ...]:
        """The further headers with values in encoded words where they need them."""
        return tuple(Header(header.name, encoded(header.value, header.name)) for header in self.headers)

    @property
    def is_simple(self) -> bool:
        """Tell whether SES can put the mail together itself."""
        return not self.parts and len(self.headers) <= SIMPLE_HEADERS_LIMIT

    def as_bytes(self) -> bytes:
        """The whole mail for a raw send (RFC 5322, MIME), 7-bit. Bcc is not in it, Date and Message-ID are SES's own.

        Raises Rejected ``unsupported`` on ``email`` for an address that SES cannot write to.
        """
        message = _body(self)
        del message["MIME-Version"]
        named = [
            ("From", self.sender.header),
            ("To", self.to.header),
            ("Cc", ", ".join(box.header for box in self.cc)),
            ("Reply-To", ", ".join(box.header for box in self.reply_to)),
            ("Subject", encoded(self.subject, "Subject")),
            *((header.name, header.value) for header in self.ascii_headers),
            ("MIME-Version", "1.0"),
        ]
        head = "".join(_folded(name, value) for name, value in named if value)
        return head.encode("ascii") + message.as_bytes(policy=_POLICY)


def stream_tag(stream: UUID) -> tuple[str, str]:
    """Give the tag by which SES's events name the message."""
    return STREAM_TAG, str(stream)


def one_click(url: str) -> tuple[Header, Header]:
    """Give the headers by which mail programs offer the way out (RFC 2369, RFC 8058)."""
    return Header("List-Unsubscribe", f"<{url}>"), Header("List-Unsubscribe-Post", ONE_CLICK)


def _folded(name: str, value: str) -> str:
    """Fold a header at spaces where it grows long; never after the colon, where some readers trip."""
    lines = [f"{name}:"]
    for word in value.split(" "):
        if word and lines[-1] != f"{name}:" and len(lines[-1]) + len(word) >= FOLDED:
            lines.append("")
        lines[-1] += f" {word}"
    return "\r\n".join(lines) + "\r\n"


def _body(mail: Mail) -> Message:
    halves = [_text(half, kind) for half, kind in ((mail.text, "plain"), (mail.html, "html")) if half]
    alternatives = [*halves, *(_part(part) for part in mail.parts if not part.filename)]
    message: Message = alternatives[0]
    if len(alternatives) > 1:
        message = MIMEMultipart("alternative", _subparts=alternatives)
    attached = [_part(part) for part in mail.parts if part.filename]
    return MIMEMultipart("mixed", _subparts=[message, *attached]) if attached else message


def _text(text: str, subtype: str) -> MIMENonMultipart:
    """Encode as base64 what is mostly beyond ASCII, else so that one can read it."""
    beyond = len(text.encode()) - len(text)
    plain = not beyond and all(len(line) <= LINE_LIMIT for line in text.split("\n"))
    name = "us-ascii" if plain else "utf-8"
    message = MIMENonMultipart("text", subtype, charset=name)
    message.set_payload(text, Charset(name) if plain or beyond * 3 > len(text) else _READABLE)
    return message


def _part(part: Part) -> Message:
    kind, *parameters = (piece.strip() for piece in part.content_type.split(";"))
    message = _text(part.content, kind.partition("/")[2])
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.lower() != "charset":
            message.set_param(name, value)
    if part.filename:
        name = part.filename
        message.add_header(
            "Content-Disposition", "attachment", filename=name if name.isascii() else ("utf-8", "", name)
        )
    return message
