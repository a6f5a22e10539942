"""What webhooks receive, for the OpenAPI document: requests that the service makes, not ones that it takes."""

from __future__ import annotations

from inspect import cleandoc
from typing import Any, Final

Json = dict[str, Any]

ABOUT: Final = """
Sent to every webhook of the client that wants the event, as GET /api/events gives it at that moment: what belonged to a
person who was erased since is null.

Any 2xx within 10 seconds is delivery. 410 switches the webhook off. Anything else, redirects included, is tried again
after about 5 seconds, 5 minutes, 30 minutes, 2, 5 and 10 hours, then given up; an operator can have it tried again.
Delivery is at least once and in no promised order: tell repeats by webhook-id, put events in order by position. An
event that happened while the webhook was switched off is not delivered, GET /api/events has it.

Signed as Standard Webhooks 1.0.0 asks: each signature is v1, a comma and the base64 of HMAC-SHA256 over
webhook-id.webhook-timestamp.body, by the bytes that the secret has in base64 behind whsec_. For 24 hours after a
rotation there are two, separated by a space; one that fits is enough. Refuse a timestamp more than 5 minutes off.
"""


def header(name: str, about: str, **schema: str) -> Json:
    """A header that is always there."""
    return {
        "name": name,
        "in": "header",
        "required": True,
        "description": about,
        "schema": {"type": "string", **schema},
    }


def outgoing(event: Json) -> Json:
    """The ``webhooks`` of the document; ``event`` refers to the schema of an event."""
    return {
        "event": {
            "post": {
                "operationId": "webhook_event",
                "tags": ["webhooks"],
                "summary": "An event of the client's own scope.",
                "description": cleandoc(ABOUT),
                "security": [],
                "parameters": [
                    header("webhook-id", "The same for every attempt at one event for one webhook."),
                    header("webhook-timestamp", "Seconds since 1970 of this attempt.", pattern="^[0-9]+$"),
                    header("webhook-signature", "One or more signatures, separated by spaces.", pattern="^v1,"),
                ],
                "requestBody": {"required": True, "content": {"application/json": {"schema": event}}},
                "responses": {
                    "2XX": {"description": "It was delivered."},
                    "410": {"description": "Nothing is to be sent here any more."},
                    "default": {"description": "It is tried again later."},
                },
            }
        }
    }
