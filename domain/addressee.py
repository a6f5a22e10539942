"""Whom a transactional mail is for: the address that may be shown and written to, and why mail may not go to it."""

from __future__ import annotations

from domain import eligibility
from domain.contact import Contact
from domain.eligibility import NEVER, SkipReason, candidate, transactional_skip_reason
from domain.mailbox import Mailbox


def address(person: Contact, organization_id: int) -> str | None:
    """Give the address as the organization may see it; None when it is gone, or erased for the organization."""
    if person.email is None or person.email.redacted or organization_id not in person.organizations:
        return None
    return person.email.text


def skip_reason(person: Contact, audience_id: int, client_id: int, category_tag: str) -> SkipReason | None:
    """Tell why the mail may not go. Against an unknown address only an earlier contact's suppression speaks."""
    if person.email is None:
        return eligibility.skip_reason(candidate(person, audience_id, client_id), NEVER)
    return transactional_skip_reason(person, audience_id, client_id, category_tag)


def check_recipient(email: str) -> None:
    """Refuse an address that SES cannot write to: raises Rejected ``unsupported`` on ``email``."""
    _ = Mailbox(email).header
