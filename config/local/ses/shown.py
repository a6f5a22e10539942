"""The shape of a mail in `/inbox.json`, shared by the inbox and its client."""

import msgspec


class NameValue(msgspec.Struct, frozen=True):
    """A header as it stands in the mail."""

    name: str
    value: str


class Shown(msgspec.Struct, frozen=True, kw_only=True, rename={"source": "from"}):
    """A mail as its recipient reads it, with the tags and the envelope that only SES sees.

    `headers` are in the order of the mail; a name can stand more than once. `failure` says why SES accepted the mail
    and could not render it; such a mail is in nobody's inbox.
    """

    message_id: str
    source: str
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    reply_to: tuple[str, ...] = ()
    subject: str = ""
    html: str | None = None
    text: str | None = None
    headers: tuple[NameValue, ...] = ()
    tags: dict[str, str] = {}
    configuration_set: str = ""
    attachments: tuple[str, ...] = ()
    sent_at: str = ""
    content_kept: bool = True
    failure: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of the first header of that name, in any case; None without one."""
        return next((header.value for header in self.headers if header.name.lower() == name.lower()), None)
