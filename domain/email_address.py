"""Email addresses: which texts are one, and the identity that makes two spellings the same contact."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from email_validator import EmailNotValidError, validate_email

from domain.decider import Rejected

LIMIT: Final = 320
LOCAL_PART_LIMIT: Final = 64
DOMAIN_LIMIT: Final = 253
_LOCAL: Final = r"(?P<local>[a-z0-9!#$%&'*+/=?^_`{|}~-]++(?:\.[a-z0-9!#$%&'*+/=?^_`{|}~-]++)*+)"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_COMMON: Final = re.compile(rf"{_LOCAL}@(?P<domain>(?:{_LABEL}\.)+[a-z]{{1,63}})")


def normalize(text: str, field: str = "email") -> str:
    """Give the identity of a mailbox: trimmed and casefolded, its domain in Unicode. Raises Rejected ``invalid``.

    Valid is ``local@domain`` of at most 320 characters as in RFC 5321 and 6531, without quoted local parts and
    bracketed addresses, the domain with a dot (contract, Conventions). The plain ASCII mailbox, nearly every one, takes
    a short way. A domain is folded as IDNA 2008 says, which keeps ``ß``: with ``ss`` it is somebody else's domain.
    """
    trimmed = text.strip()
    if len(trimmed) > LIMIT:
        raise Rejected("invalid", field)
    if trimmed.isascii():
        lower = trimmed.lower()
        if _is_common(lower):
            return lower
    return _international(trimmed, field)


def _is_common(lower: str) -> bool:
    """Tell a plain mailbox; ``--`` may be Punycode and needs a closer look."""
    mailbox = _COMMON.fullmatch(lower)
    if mailbox is None or "--" in lower:
        return False
    return mailbox.end("local") <= LOCAL_PART_LIMIT and len(mailbox["domain"]) <= DOMAIN_LIMIT


def _international(text: str, field: str) -> str:
    try:
        valid = validate_email(text, check_deliverability=False, test_environment=True, strict=True)
    except (EmailNotValidError, UnicodeError) as error:
        raise Rejected("invalid", field) from error
    return f"{_fold(valid.local_part)}@{valid.domain}"


def _fold(local_part: str) -> str:
    """Fold as Unicode defines canonical caseless matching (section 3.13, D145), composed again."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", local_part).casefold())
