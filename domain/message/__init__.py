"""Messages: one mail to one contact, requested by a client or by a campaign, and what became of it.

Two kinds of streams share the vocabulary and the rules:

- ``transactional``, with the natural key ``<client number>/<idempotency key>``
- ``of_campaign``, with the number ``campaign << 48 | contact``, so that a second one cannot be
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from domain.decider import Decider
from domain.message.commands import (
    AttemptMessage,
    ConfirmSent,
    PlanMessage,
    RecordBounce,
    RecordClick,
    RecordComplaint,
    RecordDelay,
    RecordDelivery,
    RecordFailure,
    RecordOpen,
    RecordRejection,
    RecordRenderingFailure,
    RecordSend,
    RecordUnconfirmed,
    RecordUnsubscribe,
    ReleaseMessage,
    RequestMessage,
    SkipMessage,
)
from domain.message.decide import decide
from domain.message.events import (
    CampaignMessageRequested,
    MessageAttempted,
    MessageBounced,
    MessageClicked,
    MessageComplained,
    MessageCopyBounced,
    MessageCopyComplained,
    MessageCopyDelivered,
    MessageDelivered,
    MessageDeliveryDelayed,
    MessageFailed,
    MessageOpened,
    MessageRejected,
    MessageReleased,
    MessageRenderingFailed,
    MessageRequested,
    MessageSent,
    MessageSkipped,
    MessageUnconfirmed,
    MessageUnsubscribed,
)
from domain.message.evolve import evolve
from domain.message.state import Message, Status

__all__ = [
    "AttemptMessage",
    "CampaignMessageRequested",
    "ConfirmSent",
    "Message",
    "MessageAttempted",
    "MessageBounced",
    "MessageClicked",
    "MessageComplained",
    "MessageCopyBounced",
    "MessageCopyComplained",
    "MessageCopyDelivered",
    "MessageDelivered",
    "MessageDeliveryDelayed",
    "MessageFailed",
    "MessageOpened",
    "MessageRejected",
    "MessageReleased",
    "MessageRenderingFailed",
    "MessageRequested",
    "MessageSent",
    "MessageSkipped",
    "MessageUnconfirmed",
    "MessageUnsubscribed",
    "PlanMessage",
    "RecordBounce",
    "RecordClick",
    "RecordComplaint",
    "RecordDelay",
    "RecordDelivery",
    "RecordFailure",
    "RecordOpen",
    "RecordRejection",
    "RecordRenderingFailure",
    "RecordSend",
    "RecordUnconfirmed",
    "RecordUnsubscribe",
    "ReleaseMessage",
    "RequestMessage",
    "SkipMessage",
    "Status",
    "campaign_and_contact",
    "campaign_message_number",
    "decide",
    "evolve",
    "key_of",
    "of_campaign",
    "transactional",
]

CONTACT_BITS: Final = 48
KIND_BITS: Final = 96

transactional: Final = Decider(kind=6, name="message", initial=Message(), decide=decide, evolve=evolve)
of_campaign: Final = Decider(kind=8, name="campaign_message", initial=Message(), decide=decide, evolve=evolve)


def key_of(client_id: int, idempotency_key: str) -> str:
    """Name a transactional message for the store."""
    return f"{client_id}/{idempotency_key}"


def campaign_message_number(campaign_id: int, contact_id: int) -> int:
    """Number the message of a campaign to a contact."""
    return campaign_id << CONTACT_BITS | contact_id


def campaign_and_contact(stream: UUID) -> tuple[int, int]:
    """Read campaign and contact from the stream of a campaign's message."""
    number = stream.int & ((1 << KIND_BITS) - 1)
    return number >> CONTACT_BITS, number & ((1 << CONTACT_BITS) - 1)
