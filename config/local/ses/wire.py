"""The requests of the SES v2 API that are understood here, member by member as in its service model."""

import msgspec


class Shape(msgspec.Struct, rename="pascal", frozen=True, gc=False):
    """What all shapes share: PascalCase members; a member that is missing takes its default."""


class Part(Shape, frozen=True):
    """A subject or a body; without a charset SES takes it as 7-bit ASCII."""

    data: str
    charset: str = ""


class Body(Shape, frozen=True):
    """The two versions of a body."""

    text: Part | None = None
    html: Part | None = None


class Header(Shape, frozen=True):
    """One custom header."""

    name: str
    value: str


class Attachment(Shape, frozen=True):
    """A file; only its name and size matter here."""

    raw_content: bytes
    file_name: str


class Simple(Shape, frozen=True):
    """A mail that SES puts together."""

    subject: Part
    body: Body
    headers: tuple[Header, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class Raw(Shape, frozen=True):
    """A whole MIME message, base64 on the wire."""

    data: bytes


class TemplateContent(Shape, frozen=True):
    """An inline template."""

    subject: str = ""
    text: str = ""
    html: str = ""


class Template(Shape, frozen=True):
    """A template with the values common to all its recipients."""

    template_name: str = ""
    template_arn: str = ""
    template_content: TemplateContent | None = None
    template_data: str | None = None
    headers: tuple[Header, ...] = ()
    attachments: tuple[Attachment, ...] = ()


class Content(Shape, frozen=True):
    """Exactly one of three kinds of content."""

    simple: Simple | None = None
    raw: Raw | None = None
    template: Template | None = None


class Destination(Shape, frozen=True):
    """The recipients of one mail."""

    to_addresses: tuple[str, ...] = ()
    cc_addresses: tuple[str, ...] = ()
    bcc_addresses: tuple[str, ...] = ()


class Tag(Shape, frozen=True):
    """A message tag; SES events bring it back."""

    name: str
    value: str


class SendEmail(Shape, frozen=True):
    """The request of SendEmail."""

    content: Content
    from_email_address: str = ""
    destination: Destination = Destination()
    reply_to_addresses: tuple[str, ...] = ()
    email_tags: tuple[Tag, ...] = ()
    configuration_set_name: str = ""


class BulkContent(Shape, frozen=True):
    """The content of a bulk call is always a template."""

    template: Template | None = None


class ReplacementTemplate(Shape, frozen=True):
    """One recipient's values."""

    replacement_template_data: str = "{}"


class ReplacementContent(Shape, frozen=True):
    """The wrapper that the service model puts around one recipient's values."""

    replacement_template: ReplacementTemplate = ReplacementTemplate()


class Entry(Shape, frozen=True):
    """One mail of a bulk call."""

    destination: Destination
    replacement_tags: tuple[Tag, ...] = ()
    replacement_email_content: ReplacementContent = ReplacementContent()
    replacement_headers: tuple[Header, ...] = ()


class SendBulkEmail(Shape, frozen=True):
    """The request of SendBulkEmail."""

    default_content: BulkContent
    bulk_email_entries: tuple[Entry, ...]
    from_email_address: str = ""
    reply_to_addresses: tuple[str, ...] = ()
    default_email_tags: tuple[Tag, ...] = ()
    configuration_set_name: str = ""
