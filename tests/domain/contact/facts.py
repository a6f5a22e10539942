"""The person, organizations and scopes that the contact's tests speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from domain import contact
from domain.decider import Event
from domain.personal import Address, Personal
from tests.domain.cases import Given

EARLIER: Final = datetime(2026, 5, 1, 8, tzinfo=UTC)
NOW: Final = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(days=1)
EMAIL: Final = "learner@example.com"
OWN, OTHER = 1, 2
"""Two organizations."""
AUDIENCE, CLIENT = 11, 21
"""A scope of the first one."""
OTHER_AUDIENCE, OTHER_CLIENT = 12, 22
"""A scope of the second one."""

registered: Final = contact.ContactRegistered(at=EARLIER, email=Address(EMAIL), organization_id=OWN)
subscribed: Final = contact.ContactSubscribed(
    at=EARLIER, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT, verified_at=EARLIER
)
pending: Final = contact.ContactAwaitingConfirmation(
    at=EARLIER, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT
)
unsubscribed: Final = contact.ContactUnsubscribed(
    at=EARLIER, organization_id=OWN, audience_id=AUDIENCE, client_id=CLIENT, reason=Personal("too many")
)
tagged: Final = contact.ContactTagged(at=EARLIER, audience_id=AUDIENCE, tags=(contact.Tag("ml", "ML"),))
subscribed_elsewhere: Final = contact.ContactSubscribed(
    at=EARLIER, organization_id=OTHER, audience_id=OTHER_AUDIENCE, client_id=OTHER_CLIENT
)
bounced_elsewhere: Final = contact.ContactHardBounced(at=EARLIER, organization_id=OTHER, reason=Personal("no mailbox"))


def given(*facts: Event) -> Given[contact.Contact]:
    """A contact to which some facts happened."""
    return Given(contact.decider, *facts)
