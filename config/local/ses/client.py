"""A typed client of the local SES, for tests and benchmarks."""

from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urlsplit

import boto3
import msgspec
from botocore.config import Config

from config.local.ses.events import EventType
from config.local.ses.publishing import Published
from config.local.ses.shown import Shown
from config.local.ses.sns import ConfirmationType

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

TIMEOUT_SECONDS: Final = 90.0


class Inbox(msgspec.Struct, frozen=True):
    """What `/inbox.json` answers: `count` is of all that match, whatever the limit."""

    count: int
    messages: tuple[Shown, ...]


class RefusedError(Exception):
    """The local SES answered an error; `status` is its HTTP status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class LocalSes:
    """The local SES at a URL; `url` is also boto3's `endpoint_url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def boto3(self, *, read_timeout: float = 10.0, connections: int = 10) -> "SESV2Client":
        """Return boto3's own client for this SES; it tries each call once, as the sender does."""
        return boto3.client(
            "sesv2",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - opens nothing
            config=Config(
                retries={"total_max_attempts": 1}, read_timeout=read_timeout, max_pool_connections=connections
            ),
        )

    def messages(
        self, to: str = "", *, limit: int | None = None, offset: int = 0, bodies: bool = True
    ) -> tuple[Shown, ...]:
        """Return accepted mail in the order of its acceptance, all of it or that to an address (To, Cc or Bcc)."""
        query = {"to": to, "limit": limit, "offset": offset, "bodies": str(bodies).lower()}
        return self._inbox(query).messages

    def message(self, message_id: str) -> Shown | None:
        """Return the mail that SES accepted under this id, one that failed to render too; None without one."""
        return next(iter(self._inbox({"message_id": message_id}).messages), None)

    def count(self, to: str = "") -> int:
        """Return how many mails there are, or how many went to an address."""
        return self._inbox({"to": to, "limit": 0}).count

    def wait(self, to: str = "", *, count: int = 1, seconds: float = 10.0) -> tuple[Shown, ...]:
        """Return the mail once there are `count`; raise TimeoutError after `seconds`, 60 at most."""
        inbox = self._inbox({"to": to, "at_least": count, "seconds": seconds})
        if inbox.count < count:
            raise TimeoutError(f"{inbox.count} of {count} mails after {seconds} seconds")
        return inbox.messages

    def wait_count(self, count: int, *, seconds: float = 60.0) -> int:
        """Return how many mails there are once there are `count`; raise TimeoutError as `wait` does."""
        found = self._inbox({"limit": 0, "at_least": count, "seconds": seconds}).count
        if found < count:
            raise TimeoutError(f"{found} of {count} mails after {seconds} seconds")
        return found

    def empty(self) -> None:
        """Forget all mail."""
        self._call("DELETE", "/inbox.json")

    def event(self, message_id: str, kind: EventType | ConfirmationType, **options: Any) -> Published:
        """Publish an event of a message; `options` are what `read_order` takes. The webhook's status is in the answer.

        Raises `RefusedError`: 400 for a wrong order, 404 for an unknown message, 502 when no webhook answers.
        """
        order = {"type": kind, "message_id": message_id, **options}
        return msgspec.json.decode(self._call("POST", "/events", msgspec.json.encode(order)), type=Published)

    def set_faults(self, **members: Any) -> dict[str, Any]:
        """Set members of `Faults`, leaving the others as they are, and return all of them and their `hits`."""
        return _object(self._call("POST", "/faults", msgspec.json.encode(members)))

    def faults(self) -> dict[str, Any]:
        """Return the faults, and how often each has struck."""
        return _object(self._call("GET", "/faults"))

    def reset_faults(self) -> None:
        """Go back to the faults of the start: none, unless the environment names automatic events."""
        self._call("DELETE", "/faults")

    def certificate(self) -> bytes:
        """Return the certificate of the key that signs SNS messages, as PEM."""
        return self._call("GET", "/certificate.pem")

    def confirmations(self) -> list[dict[str, str]]:
        """Return the queries of the SubscribeURLs and UnsubscribeURLs that were visited."""
        found: list[dict[str, str]] = _object(self._call("GET", "/confirmations.json"))["confirmations"]
        return found

    def _inbox(self, query: dict[str, Any]) -> Inbox:
        given = {name: value for name, value in query.items() if value not in {None, ""}}
        return msgspec.json.decode(self._call("GET", f"/inbox.json?{urlencode(given)}"), type=Inbox)

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        connection = HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_SECONDS)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        if answer.status >= 400:  # noqa: PLR2004 - the classes of HTTP statuses
            raise RefusedError(answer.status, content.decode(errors="replace"))
        return content


def _object(content: bytes) -> dict[str, Any]:
    return msgspec.json.decode(content, type=dict[str, Any])
