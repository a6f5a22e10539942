"""Transactional mail: what clients asked for, one mail at a time, as it was rendered when they asked."""

from __future__ import annotations

from typing import Final

from consumers.claims import TRANSACTIONAL, TRANSACTIONAL_SENDERS, Claimed, Claims
from consumers.ledger import Ledger, Ready, Scope, Scoped
from consumers.pace import Pace
from consumers.posting import Posting
from consumers.settling import heed
from domain.contact import Contact
from domain.decider import Rejected
from domain.eligibility import transactional_skip_reason
from domain.links import UnsubscribeLink
from domain.mail import Mail
from domain.mailbox import Mailbox, mailbox
from domain.message import Message
from domain.message.content import content_of, mail_of
from domain.store.log import Store
from domain.tracking import Site

CHUNK: Final = 50


class TransactionalLane:
    """The lane of one sender."""

    name = "datamailer.transactional_sender"
    senders = TRANSACTIONAL_SENDERS
    share = 1.0

    def __init__(self, store: Store, site: Site) -> None:
        self._ledger = Ledger(store)
        self._site = site

    def work(self, claims: Claims, posting: Posting, pace: Pace) -> bool:
        """Send the oldest mails that wait."""
        leave = pace.take(CHUNK)
        claimed = claims.take(TRANSACTIONAL, leave) if leave else []
        contacts = self._ledger.contacts(claimed)
        messages = self._ledger.messages(claimed)
        scoped = [
            self._scoped(each, message, contacts[each.contact_id])
            for each, message in zip(claimed, messages, strict=True)
        ]
        ready = self._ledger.attempt(scoped, contacts)
        pace.give_back(leave - len(ready))
        mails: list[tuple[Ready, Mail]] = []
        broken: list[tuple[Claimed, Scope, str]] = []
        for each in ready:
            try:
                mail = self._mail(each)
                _ = [box.header for box in (mail.to, *mail.cc, *mail.bcc, *mail.reply_to)]
                mails.append((each, mail))
            except (Rejected, ValueError) as error:
                broken.append((each.claimed, each.scope, code_of(error)))
        self._ledger.fail(broken)
        answers = posting.mails([mail for _, mail in mails]).answers()
        landed = list(zip([each for each, _ in mails], answers, strict=True))
        self._ledger.settle(landed)
        heed(claims, pace, landed)
        return bool(claimed)

    def land(self, claims: Claims, pace: Pace) -> None:
        """Nothing is in the air between two looks."""

    def _scoped(self, claimed: Claimed, message: Message, contact: Contact) -> Scoped:
        requested = message.requested
        if requested is None:
            return Scoped(claimed, Scope(0, 0), None)
        scope = Scope(requested.organization_id, requested.client_id)
        reason = transactional_skip_reason(contact, requested.audience_id, requested.client_id, requested.category_tag)
        return Scoped(claimed, scope, reason)

    def _mail(self, ready: Ready) -> Mail:
        """Put the mail together. Raises Rejected and ValueError when its content is gone or cannot be a mail."""
        requested, email = ready.message.requested, ready.contact.email
        content = None if requested is None else content_of(requested.content)
        if requested is None or content is None or email is None or email.redacted:
            raise Rejected("content_erased", "content")
        stream, contact_id = ready.claimed
        way_out = UnsubscribeLink(
            stream, requested.organization_id, requested.audience_id, requested.client_id, contact_id
        )
        return mail_of(
            content,
            sender=mailbox(requested.sender),
            to=Mailbox(email.text),
            stream=stream,
            site=self._site,
            out=way_out if requested.category_tag else None,
        )


def code_of(error: Rejected | ValueError) -> str:
    """Name what is wrong with a mail, without its words."""
    return next(iter(error.fields.values())) if isinstance(error, Rejected) else "not_composable"
