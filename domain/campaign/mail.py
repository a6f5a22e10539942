"""A campaign's mail, compiled once: what is left to do for each recipient is to make tokens and put them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from uuid import UUID

import msgspec

from domain.campaign.events import CampaignContent
from domain.links import UnsubscribeLink
from domain.mail import Header, Mail, one_click, stream_tag
from domain.mailbox import Mailbox
from domain.plain_text import html_of, text_of
from domain.tracking import Footer, Site, Tracked, framed, tracked

BULK_LIMIT: Final = 400_000
"""Bytes of a mail that is sent in bulk: SES takes 1 MiB in a call with an inline template, recipients included."""


class CampaignMail(msgspec.Struct, frozen=True, kw_only=True):
    """``is_bulk`` tells whether SES can fill the tokens in itself: the content holds nothing that it would take for
    an expression of its own. ``links`` are the pages that the mail leads to, by number.
    """

    sender: Mailbox
    subject: str
    body: Tracked
    site: Site
    configuration_set: str = ""
    is_bulk: bool

    @property
    def links(self) -> tuple[str, ...]:
        """The pages that the mail leads to, by number."""
        return self.body.links

    @property
    def html_template(self) -> str:
        """The HTML with ``{{slot}}`` where a token belongs."""
        return self.body.html.template()

    @property
    def text_template(self) -> str:
        """The text with ``{{slot}}`` where a token belongs."""
        return self.body.text.template()

    def tokens(self, stream: UUID, out: UnsubscribeLink) -> dict[str, str]:
        """Make what is a recipient's own: the values of the templates."""
        return self.body.tokens(self.site.signer, stream, out)

    def headers(self, tokens: Mapping[str, str]) -> tuple[Header, ...]:
        """Give the headers that are a recipient's own."""
        return one_click(f"{self.site.out}{tokens['out']}")

    def mail(self, to: Mailbox, stream: UUID, out: UnsubscribeLink) -> Mail:
        """Make the mail to one recipient."""
        tokens = self.tokens(stream, out)
        return Mail(
            sender=self.sender,
            to=to,
            subject=self.subject,
            html=self.body.html.fill(tokens),
            text=self.body.text.fill(tokens),
            headers=self.headers(tokens),
            tags=(stream_tag(stream),),
            configuration_set=self.configuration_set,
        )


def halves(content: CampaignContent) -> tuple[str, str]:
    """Give HTML and text of a campaign; the half that it lacks is made from the other one."""
    html = content.html_body if content.html_body.strip() else html_of(content.text_body)
    text = content.text_body if content.text_body.strip() else text_of(content.html_body)
    return html, text or content.subject


def footer_of(audience_name: str) -> Footer:
    """Say why the person gets the mail."""
    return Footer(f"You get this email because you are subscribed to {audience_name}.")


def sample(content: CampaignContent, *, audience_name: str, out: str) -> tuple[str, str]:
    """Give HTML and text as a recipient sees them, with nothing that tells of being opened or followed.

    ``out`` is where the way out leads.
    """
    html, text = halves(content)
    return framed(html, text, out, preview=content.preview_text, footer=footer_of(audience_name))


def compile_mail(
    content: CampaignContent, *, sender: Mailbox, audience_name: str, site: Site, configuration_set: str = ""
) -> CampaignMail:
    """Compile a campaign's content. Its links are those that ``campaign.queued`` has, whatever the site."""
    html, text = halves(content)
    body = tracked(html, text, site, preview=content.preview_text, footer=footer_of(audience_name))
    literals = (content.subject, *body.html.parts[::2], *body.text.parts[::2])
    size = sum(len(literal.encode()) for literal in literals)
    return CampaignMail(
        sender=sender,
        subject=content.subject,
        body=body,
        site=site,
        configuration_set=configuration_set,
        is_bulk=size <= BULK_LIMIT and not any("{{" in text or text.startswith("}") for text in literals),
    )
