"""SNS messages: the envelope of a notification or a confirmation, signed as SNS signs it."""

import time
from base64 import b64encode
from os import urandom
from typing import Any, Final, Literal
from uuid import uuid4

import msgspec

from config.local.ses.certificate import SignatureVersion, Signer
from config.local.ses.mail import seconds_to_iso

Envelope = dict[str, Any]
ConfirmationType = Literal["SubscriptionConfirmation", "UnsubscribeConfirmation"]
Signature = Literal["right", "wrong", "other_key", "none"]
SUBJECT: Final = "Amazon SES Email Event Notification"

SIGNED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
SIGNED_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
"""The members under the signature, in order (SNS developer guide, "Verifying the signatures of messages")."""


def notification(message: str, topic: str, base_url: str) -> Envelope:
    """Return the unsigned envelope of a published message."""
    return {
        "Type": "Notification",
        "MessageId": str(uuid4()),
        "TopicArn": topic,
        "Subject": SUBJECT,
        "Message": message,
        "Timestamp": seconds_to_iso(time.time()),
        "UnsubscribeURL": f"{base_url}/sns?Action=Unsubscribe&SubscriptionArn={topic}:local",
    }


def confirmation(kind: ConfirmationType, topic: str, base_url: str) -> Envelope:
    """Return the unsigned envelope that asks for the confirmation of a subscription, or tells of its end."""
    token = urandom(32).hex()
    return {
        "Type": kind,
        "MessageId": str(uuid4()),
        "Token": token,
        "TopicArn": topic,
        "Message": "To confirm, visit the SubscribeURL included in this message.",
        "SubscribeURL": f"{base_url}/sns?Action=ConfirmSubscription&TopicArn={topic}&Token={token}",
        "Timestamp": seconds_to_iso(time.time()),
    }


def signed_text(envelope: Envelope) -> bytes:
    """Return what the signature covers: each member that is there, its name and its value on lines of their own."""
    members = SIGNED if envelope.get("Type") == "Notification" else SIGNED_CONFIRMATION
    return "".join(f"{name}\n{_text(envelope[name])}\n" for name in members if name in envelope).encode()


def signed(
    envelope: Envelope, signer: Signer, version: SignatureVersion, base_url: str, signature: Signature = "right"
) -> Envelope:
    """Return the envelope with its signature, or with one that cannot be verified, as asked for."""
    head = {"SignatureVersion": version, "SigningCertURL": f"{base_url}/certificate.pem"}
    if signature == "none":
        return {**envelope, **head}
    own = Signer.new() if signature == "other_key" else signer
    made = own.sign(signed_text(envelope), version)
    if signature == "wrong":
        made = bytes([made[0] ^ 1]) + made[1:]
    return {**envelope, **head, "Signature": b64encode(made).decode()}


def http_headers(envelope: Envelope) -> dict[str, str]:
    """Return the headers with which SNS posts an envelope."""
    return {
        "Content-Type": "text/plain; charset=UTF-8",
        "User-Agent": "Amazon Simple Notification Service Agent",
        "x-amz-sns-message-type": _text(envelope.get("Type", "")),
        "x-amz-sns-message-id": _text(envelope.get("MessageId", "")),
        "x-amz-sns-topic-arn": _text(envelope.get("TopicArn", "")),
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()
