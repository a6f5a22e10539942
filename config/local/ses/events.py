"""SES events as event publishing brings them to SNS: one JSON object per event, as the SES developer guide has it."""

import time
from collections.abc import Callable
from email.utils import parseaddr
from typing import Any, Final, Literal

from config.local.ses.mail import DOMAIN, Mail, Text, read, seconds_to_iso

EventType = Literal[
    "Send",
    "Delivery",
    "Bounce",
    "Complaint",
    "Open",
    "Click",
    "Reject",
    "DeliveryDelay",
    "RenderingFailure",
    "Subscription",
]
Json = dict[str, Any]
ACCOUNT: Final = "000000000000"
RECEIVER: Final = "192.0.2.1"
BROWSER: Final = "Mozilla/5.0"


def ses_event(mail: Mail, kind: EventType, recipients: tuple[str, ...], details: Json) -> Json:
    """Return the event of that kind for a mail; `details` are merged into the kind's own object (RFC 7396)."""
    name, build = KINDS[kind]
    own = merged(build(mail, recipients or mail.addresses, seconds_to_iso(time.time())), details)
    event_type = "Rendering Failure" if kind == "RenderingFailure" else kind
    return {"eventType": event_type, "mail": mail_object(mail), name: own}


def merged(target: Json, patch: Json) -> Json:
    """Return `target` with a JSON merge patch applied (RFC 7396): null takes a member out."""
    result = dict(target)
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, dict) else {}, value)
        else:
            result[name] = value
    return result


def mail_object(mail: Mail) -> Json:
    """Return the `mail` object that every event carries."""
    text = read(mail)
    sender = parseaddr(mail.source)[1]
    destination = mail.destination
    return {
        "timestamp": seconds_to_iso(mail.sent_at),
        "source": mail.source,
        "sourceArn": f"arn:aws:ses:us-east-1:{ACCOUNT}:identity/{sender}",
        "sendingAccountId": ACCOUNT,
        "messageId": mail.message_id,
        "destination": [*destination.to_addresses, *destination.cc_addresses, *destination.bcc_addresses],
        "headersTruncated": False,
        "headers": [{"name": header.name, "value": header.value} for header in text.headers],
        "commonHeaders": _common_headers(mail, text),
        "tags": _tags(mail, sender),
    }


def _common_headers(mail: Mail, text: Text) -> Json:
    headers: Json = {
        "from": [mail.source],
        "to": list(mail.destination.to_addresses),
        "messageId": f"<{mail.message_id}@{DOMAIN}>",
        "subject": text.subject,
    }
    if mail.destination.cc_addresses:
        headers["cc"] = list(mail.destination.cc_addresses)
    return headers


def _tags(mail: Mail, sender: str) -> dict[str, list[str]]:
    tags = {
        "ses:source-ip": ["127.0.0.1"],
        "ses:from-domain": [sender.rpartition("@")[2]],
        "ses:caller-identity": ["local"],
    }
    if mail.configuration_set:
        tags["ses:configuration-set"] = [mail.configuration_set]
    return {**tags, **{name: [value] for name, value in mail.tags().items()}}


def _nothing(_mail: Mail, _recipients: tuple[str, ...], _now: str) -> Json:
    return {}


def _delivery(_mail: Mail, recipients: tuple[str, ...], now: str) -> Json:
    return {
        "timestamp": now,
        "processingTimeMillis": 25,
        "recipients": list(recipients),
        "smtpResponse": "250 2.6.0 Message received",
        "remoteMtaIp": RECEIVER,
        "reportingMTA": "local.smtp-out.amazonses.com",
    }


def _bounce(mail: Mail, recipients: tuple[str, ...], now: str) -> Json:
    failed = {"action": "failed", "status": "5.1.1", "diagnosticCode": "smtp; 550 5.1.1 user unknown"}
    return {
        "bounceType": "Permanent",
        "bounceSubType": "General",
        "bouncedRecipients": [{"emailAddress": address, **failed} for address in recipients],
        "timestamp": now,
        "feedbackId": f"feedback-{mail.message_id}",
        "reportingMTA": "dns; local.smtp-out.amazonses.com",
    }


def _complaint(mail: Mail, recipients: tuple[str, ...], now: str) -> Json:
    return {
        "complainedRecipients": [{"emailAddress": address} for address in recipients],
        "timestamp": now,
        "feedbackId": f"feedback-{mail.message_id}",
        "complaintSubType": None,
        "userAgent": "Local feedback loop",
        "complaintFeedbackType": "abuse",
        "arrivalDate": now,
    }


def _open(_mail: Mail, _recipients: tuple[str, ...], now: str) -> Json:
    return {"timestamp": now, "ipAddress": RECEIVER, "userAgent": BROWSER}


def _click(_mail: Mail, _recipients: tuple[str, ...], now: str) -> Json:
    link = {"link": "https://example.com/", "linkTags": None}
    return {"timestamp": now, "ipAddress": RECEIVER, "userAgent": BROWSER, **link}


def _reject(_mail: Mail, _recipients: tuple[str, ...], _now: str) -> Json:
    return {"reason": "Bad content"}


def _delay(_mail: Mail, recipients: tuple[str, ...], now: str) -> Json:
    delayed = {"status": "4.4.1", "diagnosticCode": "smtp; 421 4.4.1 Unable to connect to remote host"}
    return {
        "timestamp": now,
        "delayType": "TransientCommunicationFailure",
        "expirationTime": seconds_to_iso(time.time() + 14 * 3600),
        "delayedRecipients": [{"emailAddress": address, **delayed} for address in recipients],
    }


def _failure(mail: Mail, _recipients: tuple[str, ...], _now: str) -> Json:
    return {"templateName": "inline", "errorMessage": mail.failure or "Attribute is not present in the rendering data."}


def _subscription(_mail: Mail, _recipients: tuple[str, ...], now: str) -> Json:
    return {
        "contactList": "local",
        "timestamp": now,
        "source": "UnsubscribeHeader",
        "newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": []},
        "oldTopicPreferences": {"unsubscribeAll": False, "topicSubscriptionStatus": []},
    }


Build = Callable[[Mail, tuple[str, ...], str], Json]
KINDS: Final[dict[EventType, tuple[str, Build]]] = {
    "Send": ("send", _nothing),
    "Delivery": ("delivery", _delivery),
    "Bounce": ("bounce", _bounce),
    "Complaint": ("complaint", _complaint),
    "Open": ("open", _open),
    "Click": ("click", _click),
    "Reject": ("reject", _reject),
    "DeliveryDelay": ("deliveryDelay", _delay),
    "RenderingFailure": ("failure", _failure),
    "Subscription": ("subscription", _subscription),
}
"""The name of the kind's own object, and what makes it."""
