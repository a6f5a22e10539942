"""Mails on their way to SES: many calls at once, in bulk where a campaign's content allows it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from consumers.claims import Claimed
from consumers.ses import BULK_LIMIT, Ses, SesAnswer
from domain.campaign.mail import CampaignMail
from domain.links import UnsubscribeLink
from domain.mail import Mail, stream_tag
from domain.mailbox import Mailbox

CALLS_AT_ONCE: Final = 16
Item = TypeVar("Item")


class Letter(NamedTuple):
    """A campaign's mail to one recipient, not yet put together."""

    claimed: Claimed
    to: Mailbox
    out: UnsubscribeLink


class Calls(Generic[Item]):
    """Calls under way, several at once: each thing to send is taken by the next thread that is free.

    ``whole`` is done when all of them are; it raises what broke one. ``count`` is how many there are.
    """

    def __init__(self, pool: Executor, send: Callable[[Item], list[SesAnswer]], items: Sequence[Item]) -> None:
        self.whole: Future[None] = Future()
        self.count = len(items)
        self._send = send
        self._waiting = iter(enumerate(items))
        self._answers: list[list[SesAnswer]] = [[] for _ in items]
        self._lock = Lock()
        self._threads = min(CALLS_AT_ONCE, len(items))
        self._broken: Exception | None = None
        for _ in range(self._threads):
            pool.submit(self._run)
        if not items:
            self.whole.set_result(None)

    def answers(self) -> list[SesAnswer]:
        """Wait for all answers; one for each mail, in their order. Raises what broke."""
        self.whole.result()
        return [answer for answers in self._answers for answer in answers]

    def _run(self) -> None:
        try:
            for place, item in self._waiting:
                self._answers[place] = self._send(item)
        except Exception as error:  # noqa: BLE001 - raised again where the answers are asked for
            self._broken = error
        with self._lock:
            self._threads -= 1
            if self._threads:
                return
        if self._broken is None:
            self.whole.set_result(None)
        else:
            self.whole.set_exception(self._broken)


class Posting:
    """A pool of calls to SES. ``close`` waits for those under way."""

    def __init__(self, ses: Ses) -> None:
        self._ses = ses
        self._pool = ThreadPoolExecutor(CALLS_AT_ONCE, thread_name_prefix="ses")

    def close(self) -> None:
        """Let the calls under way come to their end."""
        self._pool.shutdown()

    def mails(self, mails: Sequence[Mail]) -> Calls[Mail]:
        """Send finished mails."""
        return Calls(self._pool, lambda mail: [self._ses.send(mail)], mails)

    def letters(self, mail: CampaignMail, letters: Sequence[Letter]) -> Calls[Letter] | Calls[Sequence[Letter]]:
        """Send a campaign's mail to recipients, 50 a call if it can be."""
        if not mail.is_bulk:
            return Calls(
                self._pool,
                lambda letter: [self._ses.send(mail.mail(letter.to, letter.claimed.stream, letter.out))],
                letters,
            )
        chunks = [letters[start : start + BULK_LIMIT] for start in range(0, len(letters), BULK_LIMIT)]
        template = template_of(mail)
        return Calls(self._pool, lambda chunk: self._bulk(mail, template, chunk), chunks)

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
