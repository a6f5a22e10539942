"""Raw mail: what of it SES needs when it accepts it, and the whole of it when somebody reads it."""

import re
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import getaddresses
from typing import Final, cast

import msgspec

from config.local.ses.errors import BadRequestError
from config.local.ses.shown import NameValue
from config.local.ses.wire import Destination, Tag

NOT_SENT: Final = frozenset({"bcc", "message-id", "date"})
FOR_SES: Final = "x-ses-"
"""SES reads these headers and takes them out (developer guide, "Amazon SES-specific headers")."""


SUBJECT: Final = re.compile(rb"^subject[ \t]*:[ \t]*(.*(?:\r?\n[ \t].*)*)", re.IGNORECASE | re.MULTILINE)


class Lenient(EmailPolicy):
    """Headers as Python reads them, or as they stand where its reader of addresses breaks, as on ``To: <``."""

    def header_fetch_parse(self, name: str, value: str) -> str:
        """Return what a header says."""
        try:
            parsed: str = super().header_fetch_parse(name, value)
        except (IndexError, HeaderParseError):
            parsed = re.sub(r"[\r\n]+", "", value)
        return parsed


LENIENT: Final = cast("EmailPolicy[EmailMessage]", Lenient())


class RawText(msgspec.Struct, frozen=True):
    """A raw mail, read."""

    subject: str
    html: str | None
    text: str | None
    headers: tuple[NameValue, ...]
    attachments: tuple[str, ...]


class Directions(msgspec.Struct, frozen=True):
    """What the headers of a raw mail tell SES."""

    source: str = ""
    sender: str = ""
    destination: Destination = Destination()
    tags: tuple[Tag, ...] = ()
    configuration_set: str = ""


def read_raw(data: bytes) -> RawText:
    """Return what a raw mail says, encoded words and transfer encodings undone."""
    message = message_from_bytes(data, policy=LENIENT)
    sent = [(name, str(value)) for name, value in message.items()]
    return RawText(
        subject=str(message.get("Subject", "")),
        html=_text(message, "html"),
        text=_text(message, "plain"),
        headers=tuple(NameValue(*pair) for pair in sent if _is_sent(pair[0])),
        attachments=tuple(part.get_filename() or "attachment" for part in message.iter_attachments()),
    )


def raw_subject(data: bytes) -> str:
    """Return the subject of a raw mail without parsing the rest."""
    found = SUBJECT.search(data)
    if found is None:
        return ""
    line = re.sub(r"\r?\n", "", found[1].decode("ascii", "replace")).strip()
    return str(make_header(decode_header(line))) if "=?" in line else line


def read_head(head: bytes) -> Directions:
    """Return what the header block tells SES: who sends, who receives, the tags and the configuration set."""
    message = message_from_bytes(head, policy=LENIENT)
    return Directions(
        source=str(message.get("From", "")),
        sender=next(iter(_addresses(message, "From")), ""),
        destination=Destination(*(_addresses(message, name) for name in ("To", "Cc", "Bcc"))),
        tags=_tags(str(message.get("X-SES-MESSAGE-TAGS", ""))),
        configuration_set=str(message.get("X-SES-CONFIGURATION-SET", "")).strip(),
    )


def _is_sent(name: str) -> bool:
    return name.lower() not in NOT_SENT and not name.lower().startswith(FOR_SES)


def _addresses(message: EmailMessage, name: str) -> tuple[str, ...]:
    values = [str(value) for value in message.get_all(name, [])]
    return tuple(address for _, address in getaddresses(values) if address)


def _tags(text: str) -> tuple[Tag, ...]:
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    if not all(equals for _, equals, _ in pairs):
        raise BadRequestError("Invalid X-SES-MESSAGE-TAGS header")
    return tuple(Tag(name.strip(), value.strip()) for name, _, value in pairs)


def _text(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    try:
        return str(part.get_content())
    except LookupError:  # a charset that Python does not know
        payload = part.get_payload(decode=True)
        return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""
