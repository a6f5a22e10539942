"""SendEmail, SendBulkEmail and GetAccount: a request's bytes in, an answer's bytes out, the mail in the inbox."""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from config.local.ses.account import Account
from config.local.ses.composing import bulk, decoded, single
from config.local.ses.errors import ENTRY_STATUSES, SesError
from config.local.ses.inbox import Inbox
from config.local.ses.mail import Mail
from config.local.ses.wire import SendBulkEmail, SendEmail

SINGLE: Final = msgspec.json.Decoder(SendEmail)
BULK: Final = msgspec.json.Decoder(SendBulkEmail)


class Sending:
    """The operations of SES on one account; `accepted` is told of every mail that was taken.

    An operation raises `SesError` for a refusal, and `LostAnswerError` when it was carried out and goes unanswered.
    """

    def __init__(self, account: Account, inbox: Inbox, accepted: Callable[[Mail], None]) -> None:
        self._account = account
        self._inbox = inbox
        self._accepted = accepted

    def get_account(self, _: bytes) -> bytes:
        """Answer GetAccount."""
        faults = self._account.faults
        answer: dict[str, Any] = {
            "DedicatedIpAutoWarmupEnabled": False,
            "EnforcementStatus": "SHUTDOWN" if faults.suspended else "HEALTHY",
            "ProductionAccessEnabled": True,
            "SendQuota": self._account.quota(),
            "SendingEnabled": not (faults.sending_paused or faults.suspended),
            "SuppressionAttributes": {"SuppressedReasons": ["BOUNCE", "COMPLAINT"]},
        }
        return msgspec.json.encode(answer)

    def send_email(self, body: bytes) -> bytes:
        """Answer SendEmail with the message's id."""
        mail, sender = single(decoded(SINGLE, body), len(body))
        self._account.before(mail.addresses)
        self._account.check_sender(sender)
        self._account.admit(mail.addresses)
        self._take(mail)
        self._account.after(mail.addresses)
        return b'{"MessageId":"' + mail.message_id.encode() + b'"}'

    def send_bulk_email(self, body: bytes) -> bytes:
        """Answer SendBulkEmail with one result per entry, in order."""
        composed, sender = bulk(decoded(BULK, body), len(body))
        addresses = tuple(address for mail in composed if isinstance(mail, Mail) for address in mail.addresses)
        self._account.before(addresses)
        self._account.check_sender(sender)
        results = [self._entry(mail) for mail in composed]
        self._account.after(addresses)
        return msgspec.json.encode({"BulkEmailEntryResults": results})

    def _entry(self, mail: Mail | SesError) -> dict[str, str]:
        fault = self._account.faults.entries
        try:
            if isinstance(mail, SesError):
                raise mail
            if fault and self._account.entries.hit(mail.addresses):
                return {"Status": fault.status, "Error": "This entry was not sent."}
            self._account.admit(mail.addresses)
        except SesError as error:
            return {"Status": ENTRY_STATUSES.get(error.code, "FAILED"), "Error": error.message}
        self._take(mail)
        return {"Status": "SUCCESS", "MessageId": mail.message_id}

    def _take(self, mail: Mail) -> None:
        self._inbox.accept(mail)
        self._accepted(mail)
