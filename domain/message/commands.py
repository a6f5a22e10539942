"""What a message can be asked. ``at`` is in UTC, for feedback the time that SES or the person's request gives."""

from __future__ import annotations

from datetime import datetime

import msgspec

from domain.contact import UnsubscribeScope
from domain.eligibility import SkipReason


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """When."""

    at: datetime


class RequestMessage(Command, frozen=True, kw_only=True):
    """Ask for a transactional mail; a ``skip_reason`` says that it will not be sent. Quiet when it was asked for.

    ``content`` and ``request`` are what ``domain.message.content`` encodes; the other fields are those of the event.
    """

    organization_id: int
    client_id: int
    contact_id: int
    template_key: str
    template_version: int
    sender_id: str
    sender: str
    content: str
    request: str
    audience_id: int = 0
    category_tag: str = ""
    campaign_id: int = 0
    retry_unconfirmed: bool = False
    skip_reason: SkipReason | None = None


class PlanMessage(Command, frozen=True, kw_only=True):
    """Request a campaign's mail to a contact, or skip it for a reason. Quiet when that was decided before."""

    campaign_id: int
    contact_id: int
    skip_reason: SkipReason | None = None


class SkipMessage(Command, frozen=True, kw_only=True):
    """Do not send after all. Raises Rejected on ``status`` unless the message is queued or skipped."""

    reason: SkipReason


class AttemptMessage(Command, frozen=True, kw_only=True):
    """Be the one who asks SES, right before asking. ``retry_unconfirmed``: also when SES may have the mail already.

    Raises Rejected on ``status``: ``already_attempted``, or ``settled`` when it was sent, failed or skipped.
    """

    retry_unconfirmed: bool = False


class ConfirmSent(Command, frozen=True, kw_only=True):
    """SES answered that it has the mail. Raises Rejected ``not_attempted`` on ``status``."""

    ses_message_id: str


class RecordFailure(Command, frozen=True, kw_only=True):
    """The mail was not sent, so SES answered, or it was never asked. Quiet when SES has the mail, as it said otherwise.

    Raises Rejected ``not_attempted`` on ``status`` of a skipped message.
    """

    code: str


class RecordUnconfirmed(Command, frozen=True, kw_only=True):
    """SES did not answer; quiet when it was heard of otherwise. Raises Rejected ``not_attempted`` on ``status``."""


class ReleaseMessage(Command, frozen=True, kw_only=True):
    """SES is known not to have the mail: let it be attempted again. Quiet when it waits already.

    Raises Rejected on ``status``: ``settled`` when it was sent, failed or skipped.
    """

    reason: str


class FeedbackCommand(Command, frozen=True, kw_only=True):
    """SES tells of the mail; ``event_id`` is the id of the notification (SNS ``MessageId``), which counts once.

    With ``ses_message_id`` it proves that SES has the mail, whatever was known of it. Both are empty when the person's
    own request tells, as a pixel does.
    """

    event_id: str = ""
    ses_message_id: str = ""


class RecordSend(FeedbackCommand, frozen=True, kw_only=True):
    """SES tells that it has the mail."""


class AddressedCommand(FeedbackCommand, frozen=True, kw_only=True):
    """SES tells it of some addresses: the recipient's own, those of copies (cc, bcc), or both."""

    to_recipient: bool = True
    to_copies: bool = False


class RecordDelivery(AddressedCommand, frozen=True, kw_only=True):
    """Their mail server took the mail."""


class RecordDelay(AddressedCommand, frozen=True, kw_only=True):
    """Their mail server does not take it yet."""

    delay_type: str = ""


class RecordBounce(AddressedCommand, frozen=True, kw_only=True):
    """The mail came back."""

    bounce_type: str
    bounce_subtype: str = ""


class RecordComplaint(AddressedCommand, frozen=True, kw_only=True):
    """The recipient reported the mail as spam."""

    feedback_type: str = ""


class RecordRejection(FeedbackCommand, frozen=True, kw_only=True):
    """SES found malware."""


class RecordRenderingFailure(FeedbackCommand, frozen=True, kw_only=True):
    """SES could not render its template."""


class RecordOpen(FeedbackCommand, frozen=True, kw_only=True):
    """The mail was opened."""


class RecordClick(FeedbackCommand, frozen=True, kw_only=True):
    """A link was followed."""

    link: int | None = None
    url: str | None = None


class RecordUnsubscribe(Command, frozen=True, kw_only=True):
    """The way out was taken; quiet when it was at this scope before."""

    scope: UnsubscribeScope
