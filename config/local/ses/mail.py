"""A mail as SES accepted it, and how it reads: MIME is parsed and templates are rendered when somebody looks."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from config.local.ses.mime import RawText, raw_subject, read_raw
from config.local.ses.shown import NameValue, Shown
from config.local.ses.substitution import Data, parse, render
from config.local.ses.wire import Attachment, Body, Destination, Header, Part, Raw, Simple, Tag, TemplateContent

DOMAIN: Final = "email.amazonses.com"
NO_DATA: Final = "{}"


class Merged(msgspec.Struct, frozen=True, gc=False):
    """A template with one recipient's values; the template is shared by all the mails of a call."""

    template: TemplateContent
    default_data: str
    data: str
    default_headers: tuple[Header, ...] = ()
    own_headers: tuple[Header, ...] = ()
    attachments: tuple[Attachment, ...] = ()

    def values(self) -> Data:
        """Return the values: the recipient's own win over those of the call. Raises `BadRequestError`."""
        own = parse(self.data)
        return own if self.default_data == NO_DATA else {**parse(self.default_data), **own}

    def headers(self) -> tuple[Header, ...]:
        """Return the headers: a recipient's own replaces the template's of the same name."""
        if not self.default_headers:
            return self.own_headers
        own = {header.name.lower() for header in self.own_headers}
        return (*(header for header in self.default_headers if header.name.lower() not in own), *self.own_headers)


class Mail(msgspec.Struct, gc=False):
    """One accepted mail; `content` is dropped, and `subject` kept, once the inbox holds too many bodies."""

    message_id: str
    sent_at: float
    source: str
    destination: Destination
    content: Simple | Raw | Merged | None
    reply_to: tuple[str, ...] = ()
    default_tags: tuple[Tag, ...] = ()
    own_tags: tuple[Tag, ...] = ()
    configuration_set: str = ""
    addresses: tuple[str, ...] = ()
    size: int = 0
    subject: str | None = None
    failure: str | None = None

    def tags(self) -> dict[str, str]:
        """Return the message tags by name; a recipient's own win over those of the call."""
        return {tag.name: tag.value for tag in (*self.default_tags, *self.own_tags)}

    def drop_content(self) -> None:
        """Let the body and the headers go and keep what a list shows."""
        self.subject = subject_of(self)
        self.content = None


class Text(msgspec.Struct, frozen=True):
    """What a mail says."""

    subject: str = ""
    html: str | None = None
    text: str | None = None
    headers: tuple[NameValue, ...] = ()
    attachments: tuple[str, ...] = ()


def seconds_to_iso(seconds: float) -> str:
    """Return a time as SES writes it: UTC with milliseconds and `Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shown(mail: Mail, *, bodies: bool = True) -> Shown:
    """Return a mail as the inbox answers it; without `bodies` the costly parts are left out."""
    text = read(mail) if bodies else Text(subject_of(mail))
    return Shown(
        message_id=mail.message_id,
        source=mail.source,
        to=mail.destination.to_addresses,
        cc=mail.destination.cc_addresses,
        bcc=mail.destination.bcc_addresses,
        reply_to=mail.reply_to,
        subject=text.subject,
        html=text.html,
        text=text.text,
        headers=text.headers,
        tags=mail.tags(),
        configuration_set=mail.configuration_set,
        attachments=text.attachments,
        sent_at=seconds_to_iso(mail.sent_at),
        content_kept=mail.content is not None,
        failure=mail.failure,
    )


def read(mail: Mail) -> Text:
    """Return what the mail says, parsed or rendered now."""
    match mail.content:
        case Simple() as simple:
            return _simple(mail, simple)
        case Raw() as raw:
            return _raw(mail, read_raw(raw.data))
        case Merged() as merged:
            return _merged(mail, merged)
        case None:
            return Text(mail.subject or "")


def subject_of(mail: Mail) -> str:
    """Return the subject alone, at little cost."""
    match mail.content:
        case Simple() as simple:
            return _decoded(simple.subject)
        case Raw() as raw:
            return raw_subject(raw.data)
        case Merged() as merged if mail.failure is None and "{{" in merged.template.subject:
            return render(merged.template.subject, merged.values())
        case Merged() as merged:
            return merged.template.subject
        case None:
            return mail.subject or ""


def _simple(mail: Mail, simple: Simple) -> Text:
    body, subject = simple.body, _decoded(simple.subject)
    headers = (*_own_headers(mail, subject, body), *_pairs(simple.headers))
    names = tuple(attachment.file_name for attachment in simple.attachments)
    return Text(subject, _body(body.html), _body(body.text), headers, names)


def _merged(mail: Mail, merged: Merged) -> Text:
    names = tuple(attachment.file_name for attachment in merged.attachments)
    if mail.failure:
        return Text(merged.template.subject, headers=_pairs(merged.headers()), attachments=names)
    values, template = merged.values(), merged.template
    subject = render(template.subject, values)
    html = render(template.html, values) if template.html else None
    text = render(template.text, values) if template.text else None
    body = Body(Part(text) if text else None, Part(html) if html else None)
    headers = (*_own_headers(mail, subject, body), *_pairs(merged.headers()))
    return Text(subject, html, text, headers, names)


def _raw(mail: Mail, raw: RawText) -> Text:
    """SES writes its own Message-ID and Date, and sends neither Bcc nor the headers that are meant for itself."""
    stamps = (NameValue("Message-ID", f"<{mail.message_id}@{DOMAIN}>"), NameValue("Date", _date(mail)))
    return Text(raw.subject, raw.html, raw.text, (*raw.headers, *stamps), raw.attachments)


def _own_headers(mail: Mail, subject: str, body: Body) -> tuple[NameValue, ...]:
    named = [
        ("From", mail.source),
        ("To", ", ".join(mail.destination.to_addresses)),
        ("Cc", ", ".join(mail.destination.cc_addresses)),
        ("Reply-To", ", ".join(mail.reply_to)),
        ("Subject", subject),
        ("MIME-Version", "1.0"),
        ("Content-Type", _content_type(body)),
        ("Message-ID", f"<{mail.message_id}@{DOMAIN}>"),
        ("Date", _date(mail)),
    ]
    return tuple(NameValue(name, value) for name, value in named if value)


def _content_type(body: Body) -> str:
    if body.html and body.text:
        return "multipart/alternative"
    return "text/html; charset=UTF-8" if body.html else "text/plain; charset=UTF-8"


def _date(mail: Mail) -> str:
    return f"{datetime.fromtimestamp(mail.sent_at, UTC):%a, %d %b %Y %H:%M:%S +0000}"


def _pairs(headers: tuple[Header, ...]) -> tuple[NameValue, ...]:
    return tuple(NameValue(header.name, header.value) for header in headers)


def _body(part: Part | None) -> str | None:
    return _decoded(part) if part else None


def _decoded(part: Part) -> str:
    """Without a charset SES takes text as 7-bit ASCII: whatever is beyond it is lost."""
    return part.data if part.charset or part.data.isascii() else part.data.encode("ascii", "replace").decode()
