"""From a request of the SES API to the mails that it asks for, or to the reason why SES refuses."""

import time
from os import urandom
from typing import Final, TypeVar

import msgspec

from config.local.ses.errors import BadRequestError, SesError
from config.local.ses.mail import NO_DATA, Mail, Merged
from config.local.ses.mime import Directions, read_head
from config.local.ses.rules import (
    MAX_ENTRIES,
    MAX_INLINE_TEMPLATE_BYTES,
    MAX_TEMPLATE_DATA,
    bare_address,
    check_headers,
    check_raw,
    check_simple,
    check_size,
    check_tags,
    check_template,
    recipients,
)
from config.local.ses.substitution import BAD_DATA, missing, names, parse
from config.local.ses.wire import (
    Content,
    Destination,
    Entry,
    Raw,
    SendBulkEmail,
    SendEmail,
    Simple,
    Template,
    TemplateContent,
)

Request = TypeVar("Request", SendEmail, SendBulkEmail)
NOBODY: Final = Destination()
NO_DIRECTIONS: Final = Directions()


def decoded(decoder: msgspec.json.Decoder[Request], body: bytes) -> Request:
    """Return the request; raise `SesError` when the body is no JSON or not of its shape."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        raise BadRequestError(str(error)) from None
    except msgspec.DecodeError as error:
        raise SesError("SerializationException", str(error)) from None


def single(request: SendEmail, length: int) -> tuple[Mail, str]:
    """Return the mail of a SendEmail request of that many bytes, and its sender's bare address.

    Raises `SesError` where SES refuses the request.
    """
    check_tags(request.email_tags)
    _check_addresses(request.reply_to_addresses)
    sender = bare_address(request.from_email_address) if request.from_email_address else ""
    content, size, directions = _content(request, length, has_sender=bool(sender))
    destination = directions.destination if request.destination == NOBODY else request.destination
    mail = Mail(
        message_id=new_message_id(),
        sent_at=time.time(),
        source=request.from_email_address or directions.source,
        destination=destination,
        content=content,
        reply_to=request.reply_to_addresses,
        own_tags=request.email_tags or directions.tags,
        configuration_set=request.configuration_set_name or directions.configuration_set,
        addresses=tuple(recipients(destination)),
        size=size,
        failure=missing(content.template, content.values()) if isinstance(content, Merged) else None,
    )
    return mail, sender or directions.sender.lower()


def bulk(request: SendBulkEmail, length: int) -> tuple[list[Mail | SesError], str]:
    """Return a mail or a refusal per entry of a SendBulkEmail request of that many bytes, and the sender's address.

    Raises `SesError` where SES refuses the whole request.
    """
    template = request.default_content.template
    if template is None:
        raise BadRequestError("Missing required DefaultContent.Template")
    if not 1 <= len(request.bulk_email_entries) <= MAX_ENTRIES:
        raise BadRequestError(f"A call has 1 to {MAX_ENTRIES} entries")
    _check_addresses(request.reply_to_addresses)
    content = _inline(template, length)
    sender = bare_address(request.from_email_address) if request.from_email_address else ""
    return [_of_entry(request, template, content, entry) for entry in request.bulk_email_entries], sender


def new_message_id() -> str:
    """Return an id in the form of Amazon's: the time, random parts, a tail of zeros."""
    digits = urandom(16).hex()
    parts = (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:])
    return f"0100{time.time_ns() // 1_000_000:012x}-{'-'.join(parts)}-000000"


def _content(request: SendEmail, length: int, *, has_sender: bool) -> tuple[Simple | Raw | Merged, int, Directions]:
    """Return the content as it is kept, its size in bytes, and what the headers of a raw mail say."""
    match request.content:
        case Content(simple=Simple() as simple, raw=None, template=None):
            return simple, check_simple(simple), NO_DIRECTIONS
        case Content(simple=None, raw=Raw() as raw, template=None):
            head = check_raw(raw, has_sender=has_sender)
            needed = not has_sender or request.destination == NOBODY or b"x-ses-" in head.lower()
            directions = read_head(head) if needed else NO_DIRECTIONS
            check_tags(directions.tags)
            return raw, len(raw.data), directions
        case Content(simple=None, raw=None, template=Template() as template):
            inline = _inline(template, length)
            return _merged(template, inline, Entry(NOBODY)), length, NO_DIRECTIONS
        case _:
            raise BadRequestError("Content has exactly one of Simple, Raw and Template")


def _inline(template: Template, length: int) -> TemplateContent:
    """Return the inline template of a call, with the values of the call checked."""
    if template.template_name or template.template_arn:
        raise SesError("NotFoundException", "The template does not exist.")
    if length > MAX_INLINE_TEMPLATE_BYTES:
        raise BadRequestError(f"A call with an inline template is at most {MAX_INLINE_TEMPLATE_BYTES} bytes long")
    content = check_template(template)
    names(content)
    if template.template_data is None or len(template.template_data) > MAX_TEMPLATE_DATA:
        raise BadRequestError(BAD_DATA)
    parse(template.template_data)
    return content


def _of_entry(request: SendBulkEmail, template: Template, content: TemplateContent, entry: Entry) -> Mail | SesError:
    try:
        check_tags((*request.default_email_tags, *entry.replacement_tags))
        merged = _merged(template, content, entry)
        if entry.replacement_headers:
            check_headers(merged.headers())
        return Mail(
            message_id=new_message_id(),
            sent_at=time.time(),
            source=request.from_email_address,
            destination=entry.destination,
            content=merged,
            reply_to=request.reply_to_addresses,
            default_tags=request.default_email_tags,
            own_tags=entry.replacement_tags,
            configuration_set=request.configuration_set_name,
            addresses=tuple(recipients(entry.destination)),
            size=check_size(len(merged.data)),
            failure=missing(content, merged.values()),
        )
    except SesError as refusal:
        return refusal


def _merged(template: Template, content: TemplateContent, entry: Entry) -> Merged:
    data = entry.replacement_email_content.replacement_template.replacement_template_data
    if len(data) > MAX_TEMPLATE_DATA:
        raise BadRequestError(BAD_DATA)
    return Merged(
        template=content,
        default_data=template.template_data or NO_DATA,
        data=data,
        default_headers=template.headers,
        own_headers=entry.replacement_headers,
        attachments=template.attachments,
    )


def _check_addresses(addresses: tuple[str, ...]) -> None:
    for address in addresses:
        bare_address(address)
