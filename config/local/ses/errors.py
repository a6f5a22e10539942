"""The errors of the SES v2 API, in the shape in which boto3 reads them."""

from typing import Final

import msgspec

STATUSES: Final = {
    "BadRequestException": 400,
    "MessageRejected": 400,
    "MailFromDomainNotVerifiedException": 400,
    "LimitExceededException": 400,
    "SendingPausedException": 400,
    "AccountSuspendedException": 400,
    "SerializationException": 400,
    "NotFoundException": 404,
    "UnknownOperationException": 404,
    "TooManyRequestsException": 429,
    "InternalServiceErrorException": 500,
    "ServiceUnavailableException": 503,
}
"""HTTP status by error type, from the SES v2 service model."""

ENTRY_STATUSES: Final = {
    "BadRequestException": "INVALID_PARAMETER",
    "MessageRejected": "MESSAGE_REJECTED",
    "TooManyRequestsException": "ACCOUNT_THROTTLED",
    "LimitExceededException": "ACCOUNT_DAILY_QUOTA_EXCEEDED",
}
"""What `BulkEmailStatus` says where a single call would have raised the error."""


class SesError(Exception):
    """A refusal of SES; `code` is the error type, `status` the HTTP status."""

    def __init__(self, code: str, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or STATUSES.get(code, 400)

    def body(self) -> bytes:
        """The answer's body; the type stands in it as well as in the header `x-amzn-ErrorType`."""
        return msgspec.json.encode({"__type": self.code, "message": self.message})


class BadRequestError(SesError):
    """The input is invalid."""

    def __init__(self, message: str) -> None:
        super().__init__("BadRequestException", message)


class RejectedError(SesError):
    """The message cannot be sent."""

    def __init__(self, message: str) -> None:
        super().__init__("MessageRejected", message)
