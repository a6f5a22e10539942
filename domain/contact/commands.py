"""What a contact can be asked: each command bears its time, its ids and plain text. None means: not said.

Addresses come normalized (``domain.email_address``). ``organization_id`` is who asks, ``audience_id`` and ``client_id``
are the scope; client 0 is the audience as a whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from domain.contact.events import ValidationStatus

SubscriptionStatus = Literal["pending", "subscribed", "unsubscribed"]
UnsubscribeScope = Literal["client", "audience", "global"]


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """When, and for which organization. ``at`` is in UTC."""

    at: datetime
    organization_id: int


class ScopedCommand(Command, frozen=True, kw_only=True):
    """A command within one client's (or with client 0 the audience's own) relation to the contact."""

    audience_id: int
    client_id: int


class EmailVerdict(msgspec.Struct, frozen=True, kw_only=True):
    """A judgement of the address, in as far as it was said. An empty ``reason`` clears the one there."""

    status: ValidationStatus | None = None
    reason: str | None = None
    validated_at: datetime | None = None


class Suppressions(msgspec.Struct, frozen=True, kw_only=True):
    """Which reasons never to write hold: True records, False lifts, None leaves alone.

    ``field_prefix`` stands before the flag's name in refusals: ``suppression.hard_bounced`` in an upsert.
    """

    global_unsubscribed: bool | None = None
    hard_bounced: bool | None = None
    complained: bool | None = None
    reason: str | None = None
    field_prefix: str = ""


class RegisterContact(Command, frozen=True, kw_only=True):
    """Make the address known to the organization, without a subscription."""

    email: str


class UpsertContact(ScopedCommand, frozen=True, kw_only=True):
    """Register or change a contact. ``tags`` are names, added to those there.

    Raises Rejected: ``invalid`` or ``too_long`` on ``tags``, ``forbidden`` on ``<field_prefix><flag>``.
    """

    email: str
    status: SubscriptionStatus | None = None
    unsubscribe_reason: str | None = None
    verified: bool | None = None
    tags: tuple[str, ...] = ()
    validation: EmailVerdict | None = None
    suppressions: Suppressions | None = None


class Subscribe(ScopedCommand, frozen=True, kw_only=True):
    """Subscribe the contact, verified now unless it was before. ``tags`` are names. Raises Rejected on ``tags``."""

    email: str
    tags: tuple[str, ...] = ()


class Unsubscribe(ScopedCommand, frozen=True, kw_only=True):
    """Record an opt-out, also from an address never seen. The audience scope ignores ``client_id``, global both ids."""

    email: str
    scope: UnsubscribeScope
    reason: str | None = None


class VerifyContact(ScopedCommand, frozen=True, kw_only=True):
    """The contact proved its address; without ``verified_at`` an earlier proof stands. Scope 0, 0 is global.

    Raises Rejected ``not_found`` on ``contact_id`` without a subscription in the scope.
    """

    verified_at: datetime | None = None


class WithdrawVerification(ScopedCommand, frozen=True, kw_only=True):
    """Take a proof back. Raises Rejected ``not_found`` on ``contact_id`` without a subscription in the scope."""


class ValidateEmail(ScopedCommand, frozen=True, kw_only=True):
    """Judge the address. Raises Rejected ``not_found`` on ``contact_id`` without a subscription in the scope."""

    verdict: EmailVerdict


class SuppressContact(ScopedCommand, frozen=True, kw_only=True):
    """Record or lift suppressions.

    Raises Rejected: ``not_found`` on ``contact_id``, ``forbidden`` on a flag that another organization recorded.
    """

    suppressions: Suppressions


class RecordHardBounce(Command, frozen=True, kw_only=True):
    """The organization's mail bounced for good. Nothing happens to a contact that is gone."""

    reason: str | None = None


class RecordComplaint(Command, frozen=True, kw_only=True):
    """The organization's mail was reported as spam. Nothing happens to a contact that is gone."""

    reason: str | None = None


class ReplaceTags(ScopedCommand, frozen=True, kw_only=True):
    """Have exactly these tags in the audience. Raises Rejected on ``contact_id`` and ``tags``."""

    tags: tuple[str, ...]


class TagContact(ScopedCommand, frozen=True, kw_only=True):
    """Add one tag. Raises Rejected on ``contact_id`` and ``tag``."""

    tag: str


class UntagContact(ScopedCommand, frozen=True, kw_only=True):
    """Remove one tag, if it is there. Raises Rejected on ``contact_id`` and ``tag``."""

    tag: str


class CategoryChoice(msgspec.Struct, frozen=True, kw_only=True):
    """Whether mail of a category is wanted. ``tag`` is a name or slug; without ``label`` the one there stays."""

    tag: str
    enabled: bool
    label: str | None = None


class SetPreferences(ScopedCommand, frozen=True, kw_only=True):
    """Choose categories.

    Raises Rejected: ``not_found`` on ``email`` without a subscription in the scope; ``invalid``, ``too_long`` or
    ``duplicate`` on ``categories.<n>.tag``; ``suppressed_contact_cannot_be_enabled`` on ``categories.<n>.enabled``.
    """

    categories: tuple[CategoryChoice, ...]
    reason: str | None = None


class EraseContact(Command, frozen=True, kw_only=True):
    """End the organization's relation with the contact and forget what it holds on the person."""
