"""What can happen to a contact: one person's address, shared by every organization that writes to it.

``organization_id`` is whose fact it is. A scope is an audience and a client; client 0 is the audience as a whole.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from domain.contact.tag import Tag
from domain.decider import Event, event, upcaster
from domain.personal import Address, Personal

ValidationStatus = Literal[
    "unknown", "valid", "invalid_syntax", "no_mx", "disposable", "risky", "manually_invalid", "externally_validated"
]


HARD_BOUNCED: Final = 1
COMPLAINED: Final = 2
"""What is kept of a contact that is gone, as flags."""


@event("contact.registered")
class ContactRegistered(Event, frozen=True):
    """The address became known, through this organization first."""

    email: Address
    organization_id: int


@event("contact.addressed")
class ContactAddressed(Event, frozen=True):
    """An organization without a relation to the contact took one up, without a subscription: to send it one mail."""

    organization_id: int


@event("contact.awaiting_confirmation")
class ContactAwaitingConfirmation(Event, frozen=True):
    """The subscription is pending, newly made or moved back. ``verified_at`` is set when it was verified with it."""

    organization_id: int
    audience_id: int
    client_id: int
    verified_at: datetime | None = None


@event("contact.subscribed")
class ContactSubscribed(Event, frozen=True):
    """The contact subscribed, for the first time or from pending. ``verified_at`` is set when verified with it."""

    organization_id: int
    audience_id: int
    client_id: int
    verified_at: datetime | None = None


@event("contact.resubscribed")
class ContactResubscribed(Event, frozen=True):
    """The contact came back after an unsubscribe. ``verified_at`` is set when verified with it."""

    organization_id: int
    audience_id: int
    client_id: int
    verified_at: datetime | None = None


@event("contact.unsubscribed")
class ContactUnsubscribed(Event, frozen=True):
    """The contact left a client's list, or with client 0 the whole audience."""

    organization_id: int
    audience_id: int
    client_id: int
    reason: Personal | None = None


@event("contact.subscription_withdrawn")
class ContactSubscriptionWithdrawn(Event, frozen=True):
    """The subscription never should have been, an import that made it was undone. The person did not unsubscribe."""

    audience_id: int
    client_id: int


@event("contact.subscription_restored")
class ContactSubscriptionRestored(Event, frozen=True):
    """The subscription is again what it was before an import that was undone."""

    organization_id: int
    audience_id: int
    client_id: int
    status: Literal["pending", "subscribed", "unsubscribed"]
    verified_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    reason: Personal | None = None


@event("contact.unsubscribe_explained")
class ContactUnsubscribeExplained(Event, frozen=True):
    """Another reason was given for an unsubscribe that stands; its time stays."""

    audience_id: int
    client_id: int
    reason: Personal


@event("contact.globally_unsubscribed")
class ContactGloballyUnsubscribed(Event, frozen=True):
    """The contact wants no marketing mail at all, so this organization recorded."""

    organization_id: int
    reason: Personal | None = None


@event("contact.global_unsubscribe_lifted")
class ContactGlobalUnsubscribeLifted(Event, frozen=True):
    """The organization took back its record of a global unsubscribe."""

    organization_id: int
    reason: Personal | None = None


@event("contact.hard_bounced")
class ContactHardBounced(Event, frozen=True):
    """Mail to the address bounced for good, so this organization recorded."""

    organization_id: int
    reason: Personal | None = None


@event("contact.hard_bounce_lifted")
class ContactHardBounceLifted(Event, frozen=True):
    """The organization took back its record of a hard bounce."""

    organization_id: int
    reason: Personal | None = None


@event("contact.complained")
class ContactComplained(Event, frozen=True):
    """The contact reported mail of this organization as spam."""

    organization_id: int
    reason: Personal | None = None


@event("contact.complaint_lifted")
class ContactComplaintLifted(Event, frozen=True):
    """The organization took back its record of a complaint."""

    organization_id: int
    reason: Personal | None = None


@event("contact.verified")
class ContactVerified(Event, frozen=True):
    """The contact proved that the address is its own, to one scope; audience 0 and client 0 is to everybody."""

    audience_id: int
    client_id: int
    verified_at: datetime


@event("contact.verification_withdrawn")
class ContactVerificationWithdrawn(Event, frozen=True):
    """A verification was taken back."""

    audience_id: int
    client_id: int


@event("contact.email_validated")
class ContactEmailValidated(Event, frozen=True):
    """An organization judged whether the address can be written to. ``validated_at`` is None for ``unknown``.

    ``reason`` None leaves the one there, perhaps another organization's words; an empty text clears it.
    """

    organization_id: int
    status: ValidationStatus
    reason: Personal | None = None
    validated_at: datetime | None = None


@event("contact.tagged")
class ContactTagged(Event, frozen=True):
    """The contact got tags of an audience that it did not have."""

    audience_id: int
    tags: tuple[Tag, ...]


@event("contact.untagged", version=2)
class ContactUntagged(Event, frozen=True):
    """The contact lost tags of an audience, named by their slugs."""

    audience_id: int
    slugs: tuple[str, ...]


@upcaster("contact.untagged", version=1)
def _slugs_were_called_tags(data: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had them as ``tags``: the name under which ``contact.tagged`` has slugs with names."""
    return {**{name: value for name, value in data.items() if name != "tags"}, "slugs": data["tags"]}


@event("contact.category_enabled")
class ContactCategoryEnabled(Event, frozen=True):
    """The contact accepts mail of a category from a client. ``tag`` is a slug."""

    audience_id: int
    client_id: int
    tag: str
    label: str
    reason: Personal | None = None


@event("contact.category_disabled")
class ContactCategoryDisabled(Event, frozen=True):
    """The contact wants no mail of a category from a client. ``tag`` is a slug."""

    audience_id: int
    client_id: int
    tag: str
    label: str
    reason: Personal | None = None


@event("contact.erased")
class ContactErased(Event, frozen=True):
    """An organization's relation with the contact ended and what it held on the person is gone.

    ``audience_ids`` are its audiences that the contact was in; the numbers say how much went. ``last``: no organization
    is left, so the contact itself is gone; then ``hard_bounced`` and ``complained`` say what must not be forgotten.
    """

    organization_id: int
    audience_ids: tuple[int, ...]
    last: bool
    subscriptions: int = 0
    tags: int = 0
    categories: int = 0
    suppressions: int = 0
    hard_bounced: bool = False
    complained: bool = False

    @property
    def forgets(self) -> tuple[int, ...]:
        """The organization's key for the contact, and with the last one the contact's own."""
        return (self.organization_id, 0) if self.last else (self.organization_id,)

    @property
    def keeps(self) -> int:
        """What must not be forgotten: 1 for a hard bounce, 2 for a complaint, 3 for both."""
        return self.hard_bounced * HARD_BOUNCED | self.complained * COMPLAINED
