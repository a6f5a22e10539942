"""Amazon SNS's envelopes: read strictly, and believed only with a signature of SNS's own key.

SNS developer guide, "Verifying the signatures of Amazon SNS messages" and "Parsing Amazon SNS message formats".
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BinasciiError
from datetime import datetime
from typing import Any, Final, Literal, get_args
from urllib.parse import urlsplit

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from api.errors import ApiError, Invalid

BODY_LIMIT: Final = 256 * 1024
"""Bytes of a message that SNS delivers at most (SNS quotas)."""
ID_LIMIT: Final = 100
AMAZON: Final = re.compile(r"sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
CERTIFICATE_PATH: Final = re.compile(r"/[A-Za-z0-9._-]+\.pem")
Kind = Literal["Notification", "SubscriptionConfirmation", "UnsubscribeConfirmation"]
CONFIRMATIONS: Final = frozenset({"SubscriptionConfirmation", "UnsubscribeConfirmation"})
REQUIRED: Final = (
    "Type", "MessageId", "TopicArn", "Message", "Timestamp", "SignatureVersion", "Signature", "SigningCertURL",
)  # fmt: skip
SIGNED: Final = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
SIGNED_CONFIRMATION: Final = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """What SNS posts. ``signed`` is the text under the ``signature`` of the ``version``."""

    kind: Kind
    message_id: str
    topic: str
    message: str
    subscribe_url: str
    certificate_url: str
    version: str
    signature: bytes
    signed: bytes


def read(body: bytes) -> Envelope:
    """Read an envelope. Raises Invalid with a code for every wrong member, ``invalid_json`` on ``body``.

    ``required``, ``must_be_string``, ``invalid``, ``too_long``, ``must_be_iso_datetime``, ``unsupported`` for a version
    that SNS does not have.
    """
    said = decoded(body)
    kind = said.get("Type")
    confirms = isinstance(kind, str) and kind in CONFIRMATIONS
    errors = wrong_members(said, (*REQUIRED, "Token", "SubscribeURL") if confirms else REQUIRED)
    if errors:
        raise Invalid(errors)
    return Envelope(
        kind=said["Type"],
        message_id=said["MessageId"],
        topic=said["TopicArn"],
        message=said["Message"],
        subscribe_url=said["SubscribeURL"] if confirms else "",
        certificate_url=said["SigningCertURL"],
        version=said["SignatureVersion"],
        signature=b64decode(said["Signature"]),
        signed=signed_text(said, SIGNED_CONFIRMATION if confirms else SIGNED),
    )


def decoded(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises Invalid on ``body``."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise Invalid({"body": "invalid_json"}) from None
    if not isinstance(said, dict):
        raise Invalid({"body": "must_be_object"})
    return said


def wrong_members(said: dict[str, Any], required: tuple[str, ...]) -> dict[str, str]:
    """A code for every member that is missing, of the wrong type or of a wrong form."""
    errors: dict[str, str] = {}
    for name in required:
        value = said.get(name)
        if value is None or value == "":
            errors[name] = "required"
        elif not isinstance(value, str):
            errors[name] = "must_be_string"
    if not isinstance(said.get("Subject", ""), str | None):
        errors["Subject"] = "must_be_string"
    if "Type" not in errors and said["Type"] not in get_args(Kind):
        errors["Type"] = "invalid"
    if "MessageId" not in errors and len(said["MessageId"]) > ID_LIMIT:
        errors["MessageId"] = "too_long"
    if "SignatureVersion" not in errors and said["SignatureVersion"] not in DIGESTS:
        errors["SignatureVersion"] = "unsupported"
    if "Signature" not in errors and not is_base64(said["Signature"]):
        errors["Signature"] = "invalid"
    if "Timestamp" not in errors and not is_time(said["Timestamp"]):
        errors["Timestamp"] = "must_be_iso_datetime"
    return errors


def is_base64(text: str) -> bool:
    """Whether a text is base64."""
    try:
        b64decode(text, validate=True)
    except (BinasciiError, ValueError):
        return False
    return True


def is_time(text: str) -> bool:
    """Whether a text is a date with a time."""
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def signed_text(said: dict[str, Any], members: tuple[str, ...]) -> bytes:
    """What the signature covers: each member that is there, its name and its value on lines of their own."""
    return "".join(f"{name}\n{said[name]}\n" for name in members if said.get(name) is not None).encode()


def check_signature(envelope: Envelope, key: RSAPublicKey) -> None:
    """Raises ApiError 403 ``invalid_signature`` unless the key's owner signed the envelope."""
    try:
        key.verify(envelope.signature, envelope.signed, padding.PKCS1v15(), DIGESTS[envelope.version])
    except InvalidSignature:
        raise ApiError(403, "invalid_signature", "The message was not signed by Amazon SNS.") from None


def is_certificate(url: str, trusted: str) -> bool:
    """Whether a certificate at the URL may be believed: on Amazon's SNS hosts, or the one that the settings trust."""
    if trusted and url == trusted:
        return True
    path = path_on_amazon(url)
    return path is not None and CERTIFICATE_PATH.fullmatch(path) is not None


def may_visit(url: str, trusted: str) -> bool:
    """Whether a subscription may be confirmed at the URL: on Amazon's SNS hosts, or beside the trusted certificate."""
    if path_on_amazon(url) is not None:
        return True
    try:
        own, local = urlsplit(url), urlsplit(trusted)
    except ValueError:
        return False
    return bool(trusted) and (own.scheme, own.netloc) == (local.scheme, local.netloc)


def path_on_amazon(url: str) -> str | None:
    """The path of a https URL on one of Amazon's SNS hosts, without port or credentials; None for any other."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    return parts.path if parts.scheme == "https" and AMAZON.fullmatch(parts.netloc) else None


DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    "1": hashes.SHA1(),  # noqa: S303 - version 1 is SNS's default, and says so
    "2": hashes.SHA256(),
}
