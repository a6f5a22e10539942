"""What SES enforces on a mail: addresses, tags, headers, counts and sizes, from its service model and guide."""

import re
from collections.abc import Iterable
from email.utils import getaddresses
from functools import lru_cache
from typing import Final

from config.local.ses.errors import BadRequestError, RejectedError
from config.local.ses.wire import Attachment, Destination, Header, Part, Raw, Simple, Tag, Template, TemplateContent

MAX_RECIPIENTS: Final = 50
MAX_ENTRIES: Final = 50
MAX_HEADERS: Final = 15
MAX_HEADER_NAME: Final = 126
MAX_HEADER_VALUE: Final = 995
MAX_HEADER: Final = 996
MAX_MESSAGE_BYTES: Final = 40 * 1024 * 1024
MAX_INLINE_TEMPLATE_BYTES: Final = 1024 * 1024
MAX_TEMPLATE_DATA: Final = 262_144
MAX_LINE: Final = 998
"""RFC 5322, section 2.1.1: characters in a line, CRLF not counted."""

HEADER_NAME: Final = re.compile(r"[!-9;-@A-~]+")
HEADER_VALUE: Final = re.compile(r"[ -~]*")
TAG_NAME: Final = re.compile(r"[A-Za-z0-9_-]{1,256}|ses:feedback-id-[ab]")
TAG_VALUE: Final = re.compile(r"[A-Za-z0-9_.@-]{1,256}")
ADDRESS: Final = re.compile(r"[!#-'*+/-9=?^-~A-Z.-]{1,64}@(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,62})\.)+[A-Za-z0-9-]{2,63}")
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
SINGLE_HEADERS: Final = frozenset(
    {"from", "to", "cc", "bcc", "subject", "reply-to", "sender", "date", "message-id", "mime-version"}
)
"""RFC 5322, section 3.6: headers that stand at most once."""
RESERVED_HEADERS: Final = SINGLE_HEADERS | {
    "return-path",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
}
"""Headers that SES writes itself, so that a custom one would stand twice."""
RAW_HEADER: Final = re.compile(rb"^([^\s:]+)[ \t]*:", re.MULTILINE)
BLANK_LINE: Final = re.compile(rb"\r?\n\r?\n")


@lru_cache(maxsize=4096)
def bare_address(text: str) -> str:
    """Return the address of `Name <address>` in small letters, or raise `BadRequestError` where SES does.

    SES takes no SMTPUTF8: local part and name are ASCII, a name beyond that is an encoded word (RFC 2047).
    """
    if ADDRESS.fullmatch(text):
        return text.lower()
    if not text.isascii() or CONTROL.search(text):
        raise BadRequestError("Local address contains control or whitespace, or characters that are not ASCII")
    found = getaddresses([text])
    address = found[0][1] if len(found) == 1 else ""
    if "@" not in address:
        raise BadRequestError("Missing final '@domain'")
    if not ADDRESS.fullmatch(address):
        raise BadRequestError("Domain contains illegal character, or the local part does")
    return address.lower()


def recipients(destination: Destination) -> list[str]:
    """Return every bare address of a destination; raise when there are none, too many, or one is wrong."""
    every = [*destination.to_addresses, *destination.cc_addresses, *destination.bcc_addresses]
    if not every:
        raise BadRequestError("Missing required recipients")
    if len(every) > MAX_RECIPIENTS:
        raise RejectedError(f"Recipient count exceeds {MAX_RECIPIENTS}.")
    return [bare_address(text) for text in every]


def check_tags(tags: Iterable[Tag]) -> None:
    """Raise `BadRequestError` for a name or value with a character that SES does not take in a tag."""
    for tag in tags:
        if not TAG_NAME.fullmatch(tag.name):
            raise BadRequestError(f"Invalid tag name <{tag.name}>: only alphanumeric ASCII characters, '_' and '-'")
        if not TAG_VALUE.fullmatch(tag.value):
            message = f"Invalid tag value <{tag.value}>: only alphanumeric ASCII characters, '_', '-', '.' and '@'"
            raise BadRequestError(message)


def check_headers(headers: tuple[Header, ...]) -> None:
    """Raise `BadRequestError` for custom headers beyond the service model, or that SES writes itself."""
    if len(headers) > MAX_HEADERS:
        raise BadRequestError(f"A message can have at most {MAX_HEADERS} custom headers")
    for header in headers:
        name, value = header.name, header.value
        if len(name) > MAX_HEADER_NAME or not HEADER_NAME.fullmatch(name):
            raise BadRequestError("Invalid header name")
        if not value or len(value) > MAX_HEADER_VALUE or not HEADER_VALUE.fullmatch(value):
            raise BadRequestError(f"Invalid value of header {name}")
        if len(name) + len(value) > MAX_HEADER:
            raise BadRequestError(f"Header {name} is longer than {MAX_HEADER} characters")
        if name.lower() in RESERVED_HEADERS:
            raise BadRequestError(f"Header {name} cannot be set")


def check_simple(simple: Simple) -> int:
    """Return the size of a simple mail in bytes, near enough for limits, or raise `BadRequestError`."""
    check_subject(simple.subject.data)
    if simple.body.text is None and simple.body.html is None:
        raise BadRequestError("Missing required body")
    if simple.headers:
        check_headers(simple.headers)
    size = len(simple.subject.data) + _length(simple.body.text) + _length(simple.body.html)
    return check_size(size + attached(simple.attachments))


def check_subject(subject: str) -> None:
    """Raise `BadRequestError` when a subject would end its header line."""
    if "\n" in subject or "\r" in subject:
        raise BadRequestError("Control characters are not allowed in the subject")


def check_template(template: Template) -> TemplateContent:
    """Return the content of an inline template; raise `BadRequestError` for one that SES cannot take."""
    check_headers(template.headers)
    content = template.template_content
    if content is None or not content.subject or not (content.text or content.html):
        raise BadRequestError("The template needs a subject and a body")
    check_subject(content.subject)
    return content


def check_raw(raw: Raw, *, has_sender: bool) -> bytes:
    """Return the header block of a raw mail; raise `BadRequestError` where SES cannot read it."""
    check_size(len(raw.data))
    head, *body = BLANK_LINE.split(raw.data, maxsplit=1)
    if not body:
        raise BadRequestError("The message has no blank line between its headers and its body")
    lines = head.splitlines()
    if any(len(line) > MAX_LINE for line in lines):
        raise BadRequestError("Header too long")
    names = [name.lower().decode("latin-1") for name in RAW_HEADER.findall(head)]
    if len(names) != sum(line[:1] not in {b" ", b"\t"} for line in lines):
        raise BadRequestError("Illegal header")
    twice = {name for name in names if name in SINGLE_HEADERS and names.count(name) > 1}
    if twice:
        raise BadRequestError(f"Duplicate header '{min(twice)}'.")
    if not has_sender and "from" not in names:
        raise BadRequestError("Missing required header 'From'.")
    return head


def check_size(size: int) -> int:
    """Return the size, or raise `BadRequestError` when the mail is beyond what SES takes (40 MB)."""
    if size > MAX_MESSAGE_BYTES:
        raise BadRequestError(f"Message length is more than {MAX_MESSAGE_BYTES} bytes long: '{size}'.")
    return size


def attached(attachments: tuple[Attachment, ...]) -> int:
    """Return how many bytes attachments add to a mail, base64 included."""
    return sum(len(attachment.raw_content) * 4 // 3 for attachment in attachments)


def _length(part: Part | None) -> int:
    return len(part.data) if part else 0
