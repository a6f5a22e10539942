"""What SES tells of a mail, read from the JSON of its events.

Two forms are read: event publishing (``eventType``) and the older feedback notifications (``notificationType``); SES
developer guide, "Contents of event data" and "Contents of Amazon SES notifications".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

import msgspec

from domain import message as m
from domain.decider import Rejected
from domain.email_address import normalize
from domain.mail import STREAM_TAG
from domain.mail_event import Kind, MailEvent
from domain.mailbox import mailbox

TEXT_LIMIT: Final = 200
"""Characters of SES's own words, such as a bounce's subtype, that are kept."""
NOT_SPAM: Final = "not-spam"
"""A complaint's type that says the opposite: the recipient took the mail out of the spam folder."""
KINDS: Final[Mapping[str, tuple[Kind | Literal["Subscription"], str]]] = {
    "Send": ("Send", "send"),
    "Delivery": ("Delivery", "delivery"),
    "Bounce": ("Bounce", "bounce"),
    "Complaint": ("Complaint", "complaint"),
    "Open": ("Open", "open"),
    "Click": ("Click", "click"),
    "Reject": ("Reject", "reject"),
    "DeliveryDelay": ("DeliveryDelay", "deliveryDelay"),
    "RenderingFailure": ("RenderingFailure", "failure"),
    "Rendering Failure": ("RenderingFailure", "failure"),
    "Subscription": ("Subscription", "subscription"),
}
"""The kind that each type names, and the member that holds what is special about it."""
RECIPIENTS: Final[Mapping[Kind, str]] = {
    "Bounce": "bouncedRecipients",
    "Complaint": "complainedRecipients",
    "DeliveryDelay": "delayedRecipients",
}
"""Where objects with addresses stand. A delivery has plain addresses."""


def read(event_id: str, text: str, now: datetime, field: str = "Message") -> MailEvent | None:
    """Read an event; None for one that says nothing of a mail's fate: a changed subscription, a report of no spam.

    Raises Rejected on dotted paths from ``field``: ``invalid_json``, ``required``, ``must_be_object``,
    ``must_be_string``, ``must_be_list``, ``must_be_iso_datetime``, ``invalid`` for a text that Postgres cannot hold,
    ``unsupported`` for a type that SES does not have.
    """
    whole = Part(_decoded(text, field), field)
    named = "eventType" if "eventType" in whole.members else "notificationType"
    said = whole.text(named)
    if said not in KINDS:
        raise Rejected("unsupported", f"{field}.{named}")
    kind, member = KINDS[said]
    mail = whole.part("mail")
    own = whole.part(member, optional=True)
    if kind == "Subscription":
        return None
    event = _Reading(event_id, kind, mail, own, now).event()
    return None if kind == "Complaint" and event.word == NOT_SPAM else event


def _decoded(text: str, field: str) -> dict[str, Any]:
    try:
        decoded = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        raise Rejected("invalid_json", field) from error
    if not isinstance(decoded, dict):
        raise Rejected("must_be_object", field)
    return decoded


class Part:
    """An object of the event, read member by member. Raises Rejected on the member's path."""

    def __init__(self, members: dict[str, Any], path: str) -> None:
        self.members = members
        self.path = path

    def text(self, name: str, *, optional: bool = False) -> str:
        """A string without U+0000, which Postgres cannot hold; an optional one may be missing or null."""
        value = str(self._member(name, str, "must_be_string", optional) or "")
        if "\0" in value:
            raise Rejected("invalid", f"{self.path}.{name}")
        return value

    def part(self, name: str, *, optional: bool = False) -> Part:
        """An object."""
        return Part(self._member(name, dict, "must_be_object", optional) or {}, f"{self.path}.{name}")

    def items(self, name: str, *, optional: bool = False) -> list[Any]:
        """A list."""
        return list(self._member(name, list, "must_be_list", optional) or ())

    def time(self, name: str, now: datetime, *, optional: bool = False) -> datetime | None:
        """A time, not later than now: the sender's clock must not make facts of tomorrow."""
        text = self.text(name, optional=optional)
        if not text and optional:
            return None
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            at = None
        if at is None or at.tzinfo is None:
            raise Rejected("must_be_iso_datetime", f"{self.path}.{name}")
        try:
            return min(at.astimezone(UTC), now)
        except OverflowError:
            raise Rejected("must_be_iso_datetime", f"{self.path}.{name}") from None

    def _member(self, name: str, kind: type, code: str, optional: bool) -> Any:  # noqa: FBT001 - private
        value = self.members.get(name)
        if value is None or value == "":
            if optional:
                return None
            raise Rejected("required", f"{self.path}.{name}")
        if not isinstance(value, kind):
            raise Rejected(code, f"{self.path}.{name}")
        return value


class _Reading(NamedTuple):
    event_id: str
    kind: Kind
    mail: Part
    own: Part
    now: datetime

    def event(self) -> MailEvent:
        own, bounced = self.own, self.kind == "Bounce"
        word = {"Bounce": "bounceType", "Complaint": "complaintFeedbackType", "DeliveryDelay": "delayType"}
        at = own.time("timestamp", self.now, optional=True) or self.mail.time("timestamp", self.now)
        return MailEvent(
            event_id=self.event_id,
            kind=self.kind,
            at=at or self.now,
            ses_message_id=self.mail.text("messageId")[:TEXT_LIMIT],
            stream=self._stream(),
            recipients=self._recipients(),
            word=own.text(word[self.kind], optional=not bounced)[:TEXT_LIMIT] if self.kind in word else "",
            subtype=own.text("bounceSubType", optional=True)[:TEXT_LIMIT] if bounced else "",
            url=own.text("link", optional=True) if self.kind == "Click" else "",
        )

    def _stream(self) -> UUID | None:
        """The stream in our tag; a value that is none of ours is no tag of ours."""
        values = self.mail.part("tags", optional=True).items(STREAM_TAG, optional=True)
        try:
            stream = UUID(values[0]) if values and isinstance(values[0], str) else None
        except ValueError:
            return None
        kinds = (m.transactional.kind, m.of_campaign.kind)
        return stream if stream is not None and stream.int >> m.KIND_BITS in kinds else None

    def _recipients(self) -> tuple[str, ...]:
        if self.kind == "Delivery":
            return tuple(self._delivered())
        name = RECIPIENTS.get(self.kind)
        if name is None:
            return ()
        path = f"{self.own.path}.{name}"
        found = []
        for place, each in enumerate(self.own.items(name, optional=self.kind == "DeliveryDelay")):
            if not isinstance(each, dict):
                raise Rejected("must_be_object", f"{path}.{place}")
            found.append(_normal(Part(each, f"{path}.{place}").text("emailAddress")))
        return tuple(found)

    def _delivered(self) -> Iterator[str]:
        for place, each in enumerate(self.own.items("recipients", optional=True)):
            if not isinstance(each, str):
                raise Rejected("must_be_string", f"{self.own.path}.recipients.{place}")
            yield _normal(each)


def _normal(text: str) -> str:
    """The identity of an address that SES names, perhaps with a display name; one that it garbled stands for nobody."""
    try:
        return normalize(mailbox(text).address)
    except Rejected:
        return ""
