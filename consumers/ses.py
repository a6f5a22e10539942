"""Amazon SES by boto3: one try a call, and an answer that says what is known of the mail.

boto3 tries again by itself after read time-outs, and SES has no idempotency token: so it gets one attempt, and the
ledger decides what follows (design, section 7). Mail goes by the client's wire, see :mod:`consumers.ses_wire`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, TypeVar

import boto3
import botocore.session
import msgspec
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
)

from consumers.ses_wire import Unsigned, Wire
from domain.mail import Mail

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

BULK_LIMIT: Final = 50
"""Recipients of one SendBulkEmail at most (SES v2 API reference)."""

CONNECT_TIMEOUT: Final = 5.0
READ_TIMEOUT: Final = 20.0
"""Seconds."""

THROTTLED: Final = frozenset({"TooManyRequestsException", "ThrottlingException", "Throttling"})
EXHAUSTED: Final = frozenset({"LimitExceededException"})
STOPPED: Final = frozenset({"SendingPausedException", "AccountSuspendedException"})
REFUSED: Final = frozenset(
    {
        "MessageRejected",
        "MailFromDomainNotVerifiedException",
        "BadRequestException",
        "NotFoundException",
    }
)
NEVER_LEFT: Final = (
    ConnectTimeoutError,
    EndpointConnectionError,
    ProxyConnectionError,
    Unsigned,
)
"""Failures before a request was sent: SES is known not to have the mail."""

BULK_SENT: Final = "SUCCESS"
BULK_THROTTLED: Final = frozenset({"ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"})
BULK_EXHAUSTED: Final = frozenset({"ACCOUNT_DAILY_QUOTA_EXCEEDED"})
BULK_STOPPED: Final = frozenset({"ACCOUNT_SENDING_PAUSED", "ACCOUNT_SUSPENDED", "CONFIGURATION_SET_SENDING_PAUSED"})

Held = Literal["throttled", "quota", "stopped", "unreachable"]


class SesSent(msgspec.Struct, frozen=True):
    """SES has the mail, under its message id."""

    message_id: str


class SesRefused(msgspec.Struct, frozen=True):
    """SES will not take this mail; trying again would end the same. ``code`` holds no words about anybody."""

    code: str


class SesHeld(msgspec.Struct, frozen=True):
    """SES took nothing and may take it later: too fast, over the day's quota, sending stopped, or out of reach."""

    why: Held


class SesUnknown(msgspec.Struct, frozen=True):
    """The connection was lost, or SES failed, after the request had left: SES may have the mail."""

    code: str


Unsent = SesRefused | SesHeld | SesUnknown
SesAnswer = SesSent | Unsent


class SendEmailAnswer(msgspec.Struct, frozen=True, rename="pascal"):
    """SES v2 API, response of SendEmail."""

    message_id: str


class BulkResult(msgspec.Struct, frozen=True, rename="pascal"):
    """SES v2 API, BulkEmailEntryResult; what SES has nothing to say of is null or absent."""

    status: str | None = None
    message_id: str | None = None


class SendBulkEmailAnswer(msgspec.Struct, frozen=True, rename="pascal"):
    """SES v2 API, response of SendBulkEmail."""

    bulk_email_entry_results: list[BulkResult]


SENT: Final = msgspec.json.Decoder(SendEmailAnswer)
BULK: Final = msgspec.json.Decoder(SendBulkEmailAnswer)
Answer = TypeVar("Answer", SendEmailAnswer, SendBulkEmailAnswer)


class Allowance(msgspec.Struct, frozen=True):
    """What the account may send: mails a second, and in 24 hours (negative: no limit), and how many it did."""

    rate: float
    daily: float
    sent: float
    enabled: bool

    @property
    def left(self) -> float:
        """Mails that the day still allows."""
        return float("inf") if self.daily < 0 else max(0.0, self.daily - self.sent)


class Ses:
    """One account, and one configuration set. Thread-safe, as boto3's clients are.

    ``endpoint_url`` names a local SES, which takes any key; Amazon's own wants those of the environment or the role.
    """

    def __init__(
        self,
        region: str,
        *,
        endpoint_url: str = "",
        configuration_set: str = "",
        connections: int = 16,
        read_timeout: float = READ_TIMEOUT,
    ) -> None:
        """``read_timeout`` is how many seconds SES has to answer before its answer counts as lost."""
        config = Config(
            region_name=region,
            retries={"total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            max_pool_connections=connections,
            tcp_keepalive=True,
        )
        session = botocore.session.get_session()
        if endpoint_url:
            session.set_credentials("local", "local")
        self._client: SESV2Client = boto3.session.Session(botocore_session=session, region_name=region).client(
            "sesv2", endpoint_url=endpoint_url or None, config=config
        )
        self._wire = Wire(session, self._client)
        self._more: dict[str, Any] = {"ConfigurationSetName": configuration_set} if configuration_set else {}

    def allowance(self) -> Allowance:
        """Ask for the account's quotas. Raises botocore's errors."""
        account = self._client.get_account()
        quota = account.get("SendQuota", {})
        return Allowance(
            rate=quota.get("MaxSendRate", 1.0),
            daily=quota.get("Max24HourSend", -1.0),
            sent=quota.get("SentLast24Hours", 0.0),
            enabled=account.get("SendingEnabled", True),
        )

    def send(self, mail: Mail) -> SesAnswer:
        """Send one finished mail to all its recipients. Never raises for what SES does.

        Raises Rejected ``unsupported`` on ``email`` for an address that SES cannot write to.
        """
        recipients = {"ToAddresses": (mail.to,), "CcAddresses": mail.cc, "BccAddresses": mail.bcc}
        destination = {kind: [box.header for box in boxes] for kind, boxes in recipients.items() if boxes}
        asked: dict[str, Any] = {
            "FromEmailAddress": mail.sender.header,
            "Destination": destination,
            "Content": simple(mail) if mail.is_simple else {"Raw": {"Data": mail.as_bytes()}},
            "EmailTags": [{"Name": name, "Value": value} for name, value in mail.tags],
            **self._more,
        }
        if mail.reply_to and mail.is_simple:
            asked["ReplyToAddresses"] = [box.header for box in mail.reply_to]
        answer = self._call("SendEmail", asked, SENT)
        return SesSent(answer.message_id) if isinstance(answer, SendEmailAnswer) else answer

    def send_bulk(self, sender: str, content: dict[str, Any], entries: Sequence[dict[str, Any]]) -> list[SesAnswer]:
        """Send one template to at most 50 recipients, each with its own values, headers and tags.

        ``content`` is SES's inline template, an entry its BulkEmailEntry. One answer per entry, in their order.
        """
        asked = {
            "FromEmailAddress": sender,
            "DefaultContent": {"Template": content},
            "BulkEmailEntries": entries,
            **self._more,
        }
        answer = self._call("SendBulkEmail", asked, BULK)
        if not isinstance(answer, SendBulkEmailAnswer):
            return [answer] * len(entries)
        results = answer.bulk_email_entry_results
        if len(results) != len(entries):
            return [SesUnknown("UnansweredEntries")] * len(entries)
        return [entry_answer(result.status or "", result.message_id or "") for result in results]

    def _call(self, operation: str, asked: dict[str, Any], decoder: msgspec.json.Decoder[Answer]) -> Answer | Unsent:
        try:
            return decoder.decode(self._wire.call(operation, asked))
        except (ClientError, BotoCoreError) as error:
            return explained(error)
        except msgspec.DecodeError:
            return SesUnknown("UnreadableAnswer")


def simple(mail: Mail) -> dict[str, Any]:
    """A mail as SES puts it together itself: a fourth of the work of a finished one (SES v2 API, Message)."""
    halves = {"Text": mail.text, "Html": mail.html}
    content: dict[str, Any] = {
        "Subject": {"Data": mail.subject, "Charset": "UTF-8"},
        "Body": {kind: {"Data": text, "Charset": "UTF-8"} for kind, text in halves.items() if text},
    }
    if mail.headers:
        content["Headers"] = [{"Name": header.name, "Value": header.value} for header in mail.ascii_headers]
    return {"Simple": content}


def explained(error: ClientError | BotoCoreError) -> Unsent:
    """What a failed call says of its mail."""
    if isinstance(error, ClientError):
        code = str(error.response.get("Error", {}).get("Code", "Unknown"))
        return _by_code(code, int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)))
    if isinstance(error, NEVER_LEFT):
        return SesHeld("unreachable")
    return SesUnknown(type(error).__name__)


def _by_code(code: str, status: int) -> Unsent:
    if code in THROTTLED:
        return SesHeld("throttled")
    if code in EXHAUSTED:
        return SesHeld("quota")
    if code in STOPPED:
        return SesHeld("stopped")
    if code in REFUSED:
        return SesRefused(code)
    if 400 <= status < 500:  # noqa: PLR2004 - the client errors of HTTP
        return SesHeld("stopped")
    return SesUnknown(code)


def entry_answer(status: str, message_id: str) -> SesAnswer:
    """What the status of one entry of a bulk call says (SES v2 API reference, BulkEmailEntryResult)."""
    if status == BULK_SENT:
        return SesSent(message_id)
    if status in BULK_THROTTLED:
        return SesHeld("throttled")
    if status in BULK_EXHAUSTED:
        return SesHeld("quota")
    if status in BULK_STOPPED:
        return SesHeld("stopped")
    if status == "FAILED":
        return SesUnknown(status)
    return SesRefused(status or "Unknown")
