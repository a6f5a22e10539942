"""Mails on their way to SES: many calls at once, in bulk where a campaign's content allows it."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple

import msgspec

from consumers.claims import Claimed
from consumers.ses import BULK_LIMIT, Ses, SesAnswer
from domain.campaign.mail import CampaignMail
from domain.links import UnsubscribeLink
from domain.mail import Mail, stream_tag
from domain.mailbox import Mailbox

CALLS_AT_ONCE: Final = 8


class Letter(NamedTuple):
    """A campaign's mail to one recipient, not yet put together."""

    claimed: Claimed
    to: Mailbox
    out: UnsubscribeLink


class Posting:
    """A pool of calls to SES. ``close`` waits for those under way."""

    def __init__(self, ses: Ses) -> None:
        self._ses = ses
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="ses")

    def close(self) -> None:
        """Let the calls under way come to their end."""
        self._pool.shutdown()

    def mails(self, mails: Sequence[Mail]) -> list[SesAnswer]:
        """Send finished mails; one answer each, in their order."""
        return list(self._pool.map(self._ses.send, mails))

    def letters(self, mail: CampaignMail, letters: Sequence[Letter]) -> list[SesAnswer]:
        """Send a campaign's mail to recipients, 50 a call if it can be; one answer each, in their order."""
        if not mail.is_bulk:
            return self.mails([mail.mail(each.to, each.claimed.stream, each.out) for each in letters])
        chunks = [letters[start : start + BULK_LIMIT] for start in range(0, len(letters), BULK_LIMIT)]
        template = template_of(mail)
        calls = [self._pool.submit(self._bulk, mail, template, chunk) for chunk in chunks]
        return [answer for call in calls for answer in call.result()]

    def _bulk(self, mail: CampaignMail, template: dict[str, Any], letters: Sequence[Letter]) -> list[SesAnswer]:
        return self._ses.send_bulk(mail.sender.header, template, [entry_of(mail, letter) for letter in letters])


def template_of(mail: CampaignMail) -> dict[str, Any]:
    """SES's inline template of a campaign's mail (SES v2 API, Template)."""
    content = {"Subject": mail.subject, "Html": mail.html_template, "Text": mail.text_template}
    return {"TemplateContent": {name: text for name, text in content.items() if text}, "TemplateData": "{}"}


def entry_of(mail: CampaignMail, letter: Letter) -> dict[str, Any]:
    """One recipient of a bulk call, with tokens, headers and tag of its own (SES v2 API, BulkEmailEntry)."""
    tokens = mail.tokens(letter.claimed.stream, letter.out)
    name, value = stream_tag(letter.claimed.stream)
    return {
        "Destination": {"ToAddresses": [letter.to.header]},
        "ReplacementEmailContent": {
            "ReplacementTemplate": {"ReplacementTemplateData": msgspec.json.encode(tokens).decode()}
        },
        "ReplacementHeaders": [{"Name": header.name, "Value": header.value} for header in mail.headers(tokens)],
        "ReplacementTags": [{"Name": name, "Value": value}],
    }
