"""The messages that the tests speak of."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final

from domain import message
from domain.decider import Decider, Event
from domain.personal import Personal
from tests.domain.cases import Given

NOW: Final = datetime(2026, 5, 24, 12, tzinfo=UTC)
LATER: Final = NOW + timedelta(hours=1)
SES_ID: Final = "0100018f-abc-000000"
ASKED: Final[dict[str, Any]] = {
    "organization_id": 1,
    "client_id": 21,
    "contact_id": 77,
    "template_key": "welcome",
    "template_version": 3,
    "sender_id": "courses",
    "sender": "Courses <courses@example.com>",
}
BOTH: Final[tuple[Decider[message.Message], ...]] = (message.transactional, message.of_campaign)

requested: Final = message.MessageRequested(
    at=NOW, **ASKED, content=Personal('{"subject":"Hi"}'), request=Personal("{}")
)
request: Final = message.RequestMessage(at=NOW, **ASKED, content='{"subject":"Hi"}', request="{}")
planned: Final = message.CampaignMessageRequested(at=NOW, campaign_id=5, contact_id=77)
attempted: Final = message.MessageAttempted(at=NOW)
sent: Final = message.MessageSent(at=NOW, ses_message_id=SES_ID)
unconfirmed: Final = message.MessageUnconfirmed(at=NOW)
released: Final = message.MessageReleased(at=LATER, reason="throttled", campaign_id=5)
skipped: Final = message.MessageSkipped(at=NOW, reason="hard_bounce")
failed: Final = message.MessageFailed(at=NOW, code="MessageRejected")


def given(*facts: Event) -> Given[message.Message]:
    """A campaign's message to which some facts happened."""
    return Given(message.of_campaign, *facts)
