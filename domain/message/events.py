"""What can happen to a message, transactional or of a campaign. No address, text or diagnosis stands here in clear."""

from __future__ import annotations

from domain.contact import UnsubscribeScope
from domain.decider import Event, event
from domain.eligibility import SkipReason
from domain.personal import Personal


@event("message.requested")
class MessageRequested(Event, frozen=True):
    """A client asked for a mail to a contact. What it says was rendered then and is what will be sent.

    ``content`` is a ``MessageContent`` and ``request`` a ``MessageRequest`` in JSON. ``sender`` is the address at that
    time, ``sender_id`` its id. ``campaign_id`` is set when this tries a campaign out. ``retry_unconfirmed``: rather
    twice than never.
    """

    organization_id: int
    client_id: int
    contact_id: int
    template_key: str
    template_version: int
    sender_id: str
    sender: str
    content: Personal
    request: Personal
    audience_id: int = 0
    category_tag: str = ""
    campaign_id: int = 0
    retry_unconfirmed: bool = False


@event("campaign_message.requested")
class CampaignMessageRequested(Event, frozen=True):
    """A campaign means the contact, and nothing speaks against it. What the mail says is the campaign's."""

    campaign_id: int
    contact_id: int


@event("message.skipped")
class MessageSkipped(Event, frozen=True):
    """The mail will not be sent: ``reason`` held at the request or right before sending."""

    reason: SkipReason


@event("message.attempted")
class MessageAttempted(Event, frozen=True):
    """SES is about to be asked to send the mail. From here on only SES knows whether it was."""


@event("message.failed")
class MessageFailed(Event, frozen=True):
    """The mail was not sent: SES refused it, or it could not be put together. ``code`` names the error."""

    code: str


@event("message.unconfirmed")
class MessageUnconfirmed(Event, frozen=True):
    """SES did not answer: the mail may have been sent or not."""


@event("message.released")
class MessageReleased(Event, frozen=True):
    """SES is known not to have the mail, so it waits to be sent again. ``reason`` tells how that is known.

    ``throttled``, ``quota``, ``stopped`` and ``unreachable`` are SES's or the network's word, ``operator`` a person's.
    ``unconfirmed``: it is not known at all, and the template would rather have the mail arrive twice than never.
    ``campaign_id`` is 0 for a transactional message.
    """

    reason: str
    campaign_id: int = 0


class Feedback(Event, frozen=True, kw_only=True):
    """Something that can come from SES. ``event_id`` is then the id of its notification: one seen is not new."""

    event_id: str = ""


@event("message.sent")
class MessageSent(Feedback, frozen=True):
    """SES has the mail, so its answer says or one of its notifications."""

    ses_message_id: str


@event("message.delivered")
class MessageDelivered(Feedback, frozen=True):
    """The recipient's mail server took the mail."""


@event("message.delivery_delayed")
class MessageDeliveryDelayed(Feedback, frozen=True):
    """The recipient's mail server does not take the mail yet."""

    delay_type: str = ""


@event("message.bounced")
class MessageBounced(Feedback, frozen=True):
    """The mail came back; ``bounce_type`` ``Permanent`` is for good (SES, contents of a bounce event)."""

    bounce_type: str
    bounce_subtype: str = ""


@event("message.complained")
class MessageComplained(Feedback, frozen=True):
    """The recipient reported the mail as spam."""

    feedback_type: str = ""


@event("message.copy_delivered")
class MessageCopyDelivered(Feedback, frozen=True):
    """The mail server of someone with a copy (cc, bcc) took it. Says nothing of the recipient's own mail."""


@event("message.copy_bounced")
class MessageCopyBounced(Feedback, frozen=True):
    """A copy (cc, bcc) came back. Says nothing of the recipient's own mail."""

    bounce_type: str
    bounce_subtype: str = ""


@event("message.copy_complained")
class MessageCopyComplained(Feedback, frozen=True):
    """Someone with a copy (cc, bcc) reported the mail as spam."""

    feedback_type: str = ""


@event("message.rejected")
class MessageRejected(Feedback, frozen=True):
    """SES took the mail and then did not send it, for it held malware."""


@event("message.rendering_failed")
class MessageRenderingFailed(Feedback, frozen=True):
    """SES took the mail and then did not send it, for its template could not be rendered."""


@event("message.opened")
class MessageOpened(Feedback, frozen=True):
    """The mail was opened, once more."""


@event("message.clicked")
class MessageClicked(Feedback, frozen=True):
    """A link of the mail was followed, once more: its number in the mail, if known, and where it led."""

    link: int | None = None
    url: Personal | None = None


@event("message.unsubscribed")
class MessageUnsubscribed(Event, frozen=True):
    """The recipient took the mail's way out at this scope."""

    scope: UnsubscribeScope
