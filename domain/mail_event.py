"""What is heard of a mail that went out, from SES or by the person's own request, and what it means.

SES's own opens and clicks count like those of our pixel and links: whoever has both switched on counts both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from domain import contact as c
from domain import message as m
from domain.message.commands import FeedbackCommand

PERMANENT: Final = "Permanent"
Kind = Literal[
    "Send", "Delivery", "Bounce", "Complaint", "Open", "Click", "Reject", "DeliveryDelay", "RenderingFailure"
]


class MailEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing that is heard of a mail. ``stream`` is None when SES names none of ours.

    ``event_id`` is the id of SES's notification, ``ses_message_id`` SES's name of the mail: both are empty when the
    person's own request tells. ``recipients`` are those whose mail it is that arrived, waits or came back, or who
    complained, normalized and empty where SES garbled them. ``word`` is the type of a bounce, delay or complaint,
    ``subtype`` a bounce's; ``link`` the number of a clicked link, if known.
    """

    kind: Kind
    at: datetime
    event_id: str = ""
    ses_message_id: str = ""
    stream: UUID | None = None
    recipients: tuple[str, ...] = ()
    word: str = ""
    subtype: str = ""
    url: str = ""
    link: int | None = None

    @property
    def suppresses(self) -> bool:
        """Tell whether those who are named must not be written to again."""
        return (self.kind == "Bounce" and self.word == PERMANENT) or self.kind == "Complaint"


class Concerned(NamedTuple):
    """Whom an event is about: the message's own recipient, others who got a copy, or both."""

    recipient: bool = True
    copies: bool = False


def command(event: MailEvent, concerned: Concerned, *, url: str | None = None) -> FeedbackCommand:
    """Give what the event means for its message. ``url`` is where a click led, if that may be kept."""
    head: dict[str, Any] = {"at": event.at, "event_id": event.event_id, "ses_message_id": event.ses_message_id}
    if event.kind in _ADDRESSED:
        head |= {"to_recipient": concerned.recipient, "to_copies": concerned.copies}
    return _COMMANDS[event.kind](event, head, url)


def suppression(event: MailEvent, organization_id: int) -> c.RecordHardBounce | c.RecordComplaint | None:
    """Give what the event means for a contact that it names: something for a permanent bounce or a complaint."""
    if not event.suppresses:
        return None
    reason = f"SES: {event.subtype or event.word or event.kind}"
    if event.kind == "Bounce":
        return c.RecordHardBounce(at=event.at, organization_id=organization_id, reason=reason)
    return c.RecordComplaint(at=event.at, organization_id=organization_id, reason=reason)


_ADDRESSED: Final = frozenset({"Delivery", "Bounce", "Complaint", "DeliveryDelay"})
"""The kinds that name recipients."""
_COMMANDS: Final[dict[str, Callable[[MailEvent, dict[str, Any], str | None], FeedbackCommand]]] = {
    "Send": lambda _, head, __: m.RecordSend(**head),
    "Delivery": lambda _, head, __: m.RecordDelivery(**head),
    "Bounce": lambda event, head, __: m.RecordBounce(**head, bounce_type=event.word, bounce_subtype=event.subtype),
    "Complaint": lambda event, head, __: m.RecordComplaint(**head, feedback_type=event.word),
    "Open": lambda _, head, __: m.RecordOpen(**head),
    "Click": lambda event, head, url: m.RecordClick(**head, link=event.link, url=url),
    "Reject": lambda _, head, __: m.RecordRejection(**head),
    "DeliveryDelay": lambda event, head, __: m.RecordDelay(**head, delay_type=event.word),
    "RenderingFailure": lambda _, head, __: m.RecordRenderingFailure(**head),
}
