"""Takes what SES tells by Amazon SNS: who sends it is checked first, then it goes into the log once."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec.structs import replace

from api.answer import Answer, json_answer
from api.call import Call
from api.commands import load
from api.errors import RETRY_AFTER_SECONDS, ApiError, Invalid
from api.sns import BODY_LIMIT, REQUIRED, Envelope, check_signature, is_certificate, may_visit
from api.sns import read as read_envelope
from api.sns_keys import Unfetched, fetched
from domain import campaign, message
from domain.mail_event import MailEvent
from domain.ses_event import read
from domain.store.feedback import Told
from domain.store.order import Failed
from domain.tracking import Site

VALIDATION: Final = "Successfully validated SNS topic for Amazon SES event publishing."
"""What SES publishes, as plain text, when a topic is set up."""

TEXT: Final = "required, must_be_string"
REFUSES: Final = dict.fromkeys(REQUIRED, TEXT) | {
    "Type": f"{TEXT}, invalid",
    "MessageId": f"{TEXT}, too_long",
    "TopicArn": f"{TEXT}, forbidden",
    "Message": f"{TEXT}, invalid_json, must_be_object",
    "Message.*": f"{TEXT}, must_be_object, must_be_list, must_be_iso_datetime, invalid, unsupported",
    "Timestamp": f"{TEXT}, must_be_iso_datetime",
    "SignatureVersion": f"{TEXT}, unsupported",
    "Signature": f"{TEXT}, invalid",
    "SigningCertURL": f"{TEXT}, forbidden",
    "Subject": "must_be_string",
    "Token": TEXT,
    "SubscribeURL": f"{TEXT}, forbidden",
}
"""The codes of each member, for the document."""


class SesAnswer(msgspec.Struct):
    """What became of a message; ``kept`` until the mail that it is about is known."""

    status: Literal["recorded", "kept", "ignored", "confirmed"]


async def ses_events(call: Call) -> Answer:
    """Take a message of Amazon SNS: an event of SES, or the confirmation of a subscription."""
    envelope = read_envelope(await call.read(BODY_LIMIT))
    settings = call.wiring.settings
    if envelope.topic not in settings.ses_topic_arns:
        raise Invalid({"TopicArn": "forbidden"})
    if not is_certificate(envelope.certificate_url, settings.ses_certificate_url):
        raise Invalid({"SigningCertURL": "forbidden"})
    check_signature(envelope, await call.wiring.sns_keys.key(envelope.certificate_url))
    if envelope.kind == "UnsubscribeConfirmation" or envelope.message.startswith(VALIDATION):
        return json_answer(SesAnswer("ignored"))
    if envelope.kind == "SubscriptionConfirmation":
        return await confirm(envelope, settings.ses_certificate_url)
    event = read(envelope.message_id, envelope.message, call.now)
    if event is None:
        return json_answer(SesAnswer("ignored"))
    return await record(call, await numbered(call, without_token(event, call.wiring.site)))


async def record(call: Call, event: MailEvent) -> Answer:
    """Have the event taken in together with those that come beside it."""
    verdict = await call.wiring.feedback.submit(Told(event, "ses", call.correlation_id))
    if isinstance(verdict, Failed):
        raise verdict.error
    return json_answer(SesAnswer("kept" if verdict == "kept" else "recorded"))


async def confirm(envelope: Envelope, trusted: str) -> Answer:
    """Confirm the subscription of a topic that is ours. Raises ApiError 503 when SNS does not answer."""
    if not may_visit(envelope.subscribe_url, trusted):
        raise Invalid({"SubscribeURL": "forbidden"})
    try:
        await fetched(envelope.subscribe_url)
    except Unfetched:
        message = "The subscription could not be confirmed. Try again."
        headers = {"Retry-After": str(RETRY_AFTER_SECONDS)}
        raise ApiError(503, "confirmation_failed", message, headers) from None
    return json_answer(SesAnswer("confirmed"))


def without_token(event: MailEvent, site: Site) -> MailEvent:
    """The event with the page that a click led to: where SES tracks links too, it tells of ours, tokens and all."""
    if event.url.startswith(site.click):
        link = site.signer.clicked(urlsplit(event.url).path.rpartition("/")[2])
        return replace(event, url="" if link is None else link.url, link=None if link is None else link.number)
    if event.url.startswith(site.out):
        return replace(event, url=site.out)
    return event


async def numbered(call: Call, event: MailEvent) -> MailEvent:
    """A click that tells the page alone, with the number of that link in the mail of its campaign."""
    stream = event.stream
    if stream is None or stream.int >> message.KIND_BITS != message.of_campaign.kind:
        return event
    if event.kind != "Click" or not event.url or event.link is not None:
        return event
    campaign_id, _ = message.campaign_and_contact(stream)
    links: tuple[str, ...] = (await load(call, campaign.decider, number=campaign_id)).state.links
    return replace(event, link=links.index(event.url)) if event.url in links else event
