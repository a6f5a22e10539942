"""What a transactional message says: rendered when it is requested, and the mail that is made of it when it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from domain.decider import Rejected
from domain.links import UnsubscribeLink
from domain.mail import Header, Mail, Part, one_click, stream_tag
from domain.mailbox import Mailbox, mailbox
from domain.message.wishes import Wishes, check_wishes
from domain.personal import Personal
from domain.plain_text import text_of
from domain.rendering import render
from domain.template import TemplateContent, missing_values, subject_problem
from domain.tracking import Site, tracked


class MessageContent(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the mail says and to whom else it goes. Addresses are ``address`` or ``Name <address>``."""

    subject: str
    html: str = ""
    text: str = ""
    reply_to: str = ""
    cc: tuple[str, ...] = ()
    bcc: tuple[str, ...] = ()
    headers: tuple[Header, ...] = ()
    parts: tuple[Part, ...] = ()


class MessageRequest(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What the client gave with the request, kept for its own eyes."""

    idempotency_key: str = ""
    context: dict[str, Any] = {}
    metadata: dict[str, Any] = {}


def compose(template: TemplateContent, context: Mapping[str, Any], wishes: Wishes) -> MessageContent:
    """Render a template with a context, once and for all.

    Raises Rejected with every wrong field: ``required`` on ``context.<name>`` for a required value that is missing,
    ``invalid`` or ``too_large`` on ``context`` when the template fails on it, ``required``, ``invalid`` or ``too_long``
    on ``subject`` for what became of that line, and what ``check_wishes`` refuses.
    """
    wrong = missing_values(template, context) | check_wishes(wishes)
    if wrong:
        raise Rejected.of(wrong)
    subject = render(template.subject, context).strip()
    if code := subject_problem(subject):
        raise Rejected(code, "subject")
    html = render(template.html_body, context, html=True)
    text = render(template.text_body, context)
    if not text.strip():
        text = text_of(html)
    if not html and not text:
        raise Rejected("required", "body")
    return MessageContent(
        subject=subject,
        html=html,
        text=text,
        reply_to=wishes.reply_to,
        cc=wishes.cc,
        bcc=wishes.bcc,
        headers=wishes.headers,
        parts=wishes.parts,
    )


def encode(value: MessageContent | MessageRequest) -> str:
    """Give the JSON that is sealed in the event."""
    return msgspec.json.encode(value).decode()


def content_of(sealed: Personal) -> MessageContent | None:
    """Open what a message says; None when its key is gone."""
    return None if sealed.redacted else msgspec.json.decode(sealed.text, type=MessageContent)


def request_of(sealed: Personal) -> MessageRequest | None:
    """Open what was given with a request; None when its key is gone."""
    return None if sealed.redacted else msgspec.json.decode(sealed.text, type=MessageRequest)


def mail_of(
    content: MessageContent,
    *,
    sender: Mailbox,
    to: Mailbox,
    stream: UUID,
    site: Site,
    configuration_set: str = "",
    out: UnsubscribeLink | None = None,
) -> Mail:
    """Make the mail: links and pixel tracked, the stream in a tag. ``out`` adds the way out of a category's mail.

    Raises Rejected ``invalid`` on ``email`` when an address in the content is none.
    """
    made = tracked(content.html, content.text, site)
    tokens = made.tokens(site.signer, stream)
    headers = content.headers
    if out is not None and not any(header.name.lower() == "list-unsubscribe" for header in headers):
        headers += one_click(f"{site.out}{site.signer.unsubscribe(out)}")
    return Mail(
        sender=sender,
        to=to,
        subject=content.subject,
        html=made.html.fill(tokens),
        text=made.text.fill(tokens),
        cc=tuple(map(mailbox, content.cc)),
        bcc=tuple(map(mailbox, content.bcc)),
        reply_to=(mailbox(content.reply_to),) if content.reply_to else (),
        headers=headers,
        parts=content.parts,
        tags=(stream_tag(stream),),
        configuration_set=configuration_set,
    )
