"""Every way in which a request is refused, with its status and body (contract, Errors)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.decider import Rejected

CONFLICTS = frozenset(
    {
        "audience_mismatch",
        "not_cancellable",
        "not_droppable",
        "not_editable",
        "not_pausable",
        "not_queueable",
        "not_resumable",
        "rebuild_running",
        "suppressed_contact_cannot_be_enabled",
        "switched_off",
        "transactional_suppressed",
    },
)
"""Codes that say that the state of a thing forbids the command: 409."""

SCOPE = frozenset({"audience", "default_sender_id", "from_email", "organization"})
"""Fields that name where or from whom a request acts, not what it is about: one that is not found stays 400."""

RETRY_AFTER_SECONDS = 1
"""How long a client should wait before it repeats a request that found the event store unreachable."""


class ApiError(Exception):
    """An answer other than success: its status, its ``error`` object and its headers."""

    def __init__(self, status: int, code: str, message: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(code)
        self.status = status
        self.error: dict[str, Any] = {"code": code, "message": message} if message else {"code": code}
        self.headers = dict(headers or {})


class Invalid(ApiError):
    """One or more fields are wrong. ``fields`` maps dotted paths to codes; the status follows from the codes."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(status_of(fields), "validation_error")
        self.fields = dict(fields)
        self.error["fields"] = self.fields


def status_of(fields: Mapping[str, str]) -> int:
    """403 when something is forbidden, 409 for a state, 404 when all is about things not found, else 400."""
    codes = set(fields.values())
    if "forbidden" in codes:
        return 403
    if codes & CONFLICTS:
        return 409
    if codes == {"not_found"} and not SCOPE.intersection(fields):
        return 404
    return 400


def refused(error: Rejected) -> Invalid:
    """The answer to a command that breaks a rule of the domain."""
    return Invalid(error.fields)


def not_found(field: str) -> Invalid:
    """The thing that ``field`` of the path names does not exist, or not for this client."""
    return Invalid({field: "not_found"})


def unknown_path() -> ApiError:
    """No route has this path."""
    return ApiError(404, "not_found", "Nothing is served at this path.")


def method_not_allowed(allowed: Sequence[str]) -> ApiError:
    """The path exists, with other methods."""
    error = ApiError(405, "method_not_allowed", headers={"Allow": ", ".join(allowed)})
    error.error["allowed_methods"] = list(allowed)
    return error


def unauthorized(code: str) -> ApiError:
    """The caller did not say, or prove, who it is."""
    return ApiError(401, code, UNAUTHORIZED[code], {"WWW-Authenticate": "Bearer"})


UNAUTHORIZED = {
    "missing_authorization": "The request has no Authorization header.",
    "invalid_authorization": "The Authorization header must read: Bearer <api key>.",
    "invalid_api_key": "The API key is unknown, wrong or revoked.",
    "inactive_client": "The client that the API key belongs to is switched off.",
}


def payload_too_large(limit: int) -> ApiError:
    """The body has more than ``limit`` bytes."""
    return ApiError(413, "payload_too_large", f"The body may have at most {limit} bytes.")


def unsupported_media_type(*supported: str) -> ApiError:
    """The body is of a type that this route does not read."""
    return ApiError(415, "unsupported_media_type", f"Send one of: {', '.join(supported)}.")


def idempotency_mismatch() -> ApiError:
    """The Idempotency-Key was used with another request."""
    return ApiError(422, "idempotency_mismatch", "The Idempotency-Key was used with another request.")


def request_in_progress() -> ApiError:
    """A request with the same Idempotency-Key is still running."""
    message = "A request with this Idempotency-Key is still running."
    return ApiError(409, "request_in_progress", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def unavailable() -> ApiError:
    """The event store cannot be reached, or did not answer."""
    message = "The event store cannot be reached. Try again."
    return ApiError(503, "unavailable", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def projection_behind() -> ApiError:
    """A read model did not reach the wanted position in time."""
    message = "The read model has not reached this position yet. Try again."
    return ApiError(503, "projection_behind", message, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def internal_error() -> ApiError:
    """Something that nobody foresaw; the log has it under the correlation id."""
    return ApiError(500, "internal_error", "This is a mistake of the service. Its log names it by the correlation id.")
