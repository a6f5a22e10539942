"""Which facts follow from a command to a contact; none when it is already so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain.contact import commands as c
from domain.contact.erasure import erase
from domain.contact.preferences import set_preferences
from domain.contact.registration import register, register_contact
from domain.contact.state import Contact
from domain.contact.subscription import enroll, subscribe, unsubscribe, verify, withdraw_verification
from domain.contact.suppression import record_complaint, record_hard_bounce, suppress, suppress_contact
from domain.contact.tagging import add_tags, replace_tags, tag_contact, untag_contact
from domain.contact.validation import judge, validate_email
from domain.decider import Event


def upsert(state: Contact, command: c.UpsertContact) -> tuple[Event, ...]:
    """Register or change a contact: what the command does not say stays (contract, Contacts)."""
    return (
        *register(state, command),
        *enroll(state, command, status=command.status, verified=command.verified, reason=command.unsubscribe_reason),
        *(judge(state, command, command.validation) if command.validation is not None else ()),
        *(suppress(state, command, command.suppressions) if command.suppressions is not None else ()),
        *add_tags(state, command, command.tags),
    )


_CASES: Final[dict[type[c.Command], Callable[[Contact, Any], tuple[Event, ...]]]] = {
    c.RegisterContact: register_contact,
    c.UpsertContact: upsert,
    c.Subscribe: subscribe,
    c.Unsubscribe: unsubscribe,
    c.VerifyContact: verify,
    c.WithdrawVerification: withdraw_verification,
    c.ValidateEmail: validate_email,
    c.SuppressContact: suppress_contact,
    c.RecordHardBounce: record_hard_bounce,
    c.RecordComplaint: record_complaint,
    c.ReplaceTags: replace_tags,
    c.TagContact: tag_contact,
    c.UntagContact: untag_contact,
    c.SetPreferences: set_preferences,
    c.EraseContact: erase,
}


def decide(state: Contact, command: c.Command) -> tuple[Event, ...]:
    """Decide a command. Raises Rejected when it breaks a rule."""
    return _CASES[type(command)](state, command)
