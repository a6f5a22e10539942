"""A mailbox as a mail header names it: an address, with a display name or without."""

from __future__ import annotations

import re
from email.header import Header
from email.utils import formataddr
from functools import lru_cache
from typing import Final

import msgspec
from email_validator import EmailNotValidError, validate_email

from domain.decider import Rejected
from domain.email_address import normalize

NAME_LIMIT: Final = 255
ENCODED_WORD: Final = 75
"""Characters of an encoded word at most (RFC 2047, section 2)."""
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class Mailbox(msgspec.Struct, frozen=True):
    """``name`` is empty when only the address was given. Neither holds a control character."""

    address: str
    name: str = ""

    @property
    def header(self) -> str:
        """The ASCII form for a header line: the name in encoded words (RFC 2047), the domain in Punycode.

        Raises Rejected ``unsupported`` on ``email`` for a local part beyond ASCII: SES takes no SMTPUTF8.
        """
        return _header(self)


def mailbox(text: str, field: str = "email") -> Mailbox:
    """Read ``address`` or ``Name <address>``, the name quoted or not. Raises Rejected: ``invalid`` or ``too_long``."""
    text = text.strip()
    if has_control(text):
        raise Rejected("invalid", field)
    name = ""
    if text.endswith(">"):
        name, _, text = text[:-1].rpartition("<")
        name, text = _unquoted(name.strip()), text.strip()
    normalize(text, field)
    if len(name) > NAME_LIMIT:
        raise Rejected("too_long", field)
    return Mailbox(text, name)


def has_control(text: str) -> bool:
    """Tell whether a text holds a character that could end or garble a header line, CR and LF above all."""
    return _CONTROL.search(text) is not None


def _unquoted(name: str) -> str:
    if len(name) > 1 and name[0] == name[-1] == '"':
        return name[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    return name


@lru_cache(maxsize=4096)
def _header(box: Mailbox) -> str:
    address = box.address if box.address.isascii() else _ascii(box.address)
    if box.name.isascii():
        return formataddr((box.name, address)) if box.name else address
    return f"{encoded(box.name)} <{address}>"


def encoded(text: str, header: str = "Reply-To") -> str:
    """Give the text in encoded words, separated by spaces (RFC 2047); plain ASCII as it is.

    The first word leaves room for the header's name on its line.
    """
    if text.isascii():
        return text
    return " ".join(Header(text, "utf-8", ENCODED_WORD, header).encode(linesep="\n").split("\n "))


def _ascii(address: str) -> str:
    try:
        found = validate_email(address, check_deliverability=False, test_environment=True, strict=True)
    except EmailNotValidError as error:
        raise Rejected("invalid", "email") from error
    if found.ascii_email is None:
        raise Rejected("unsupported", "email")
    return found.ascii_email
