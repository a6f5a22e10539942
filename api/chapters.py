"""The chapters of the service's documentation: which part of it a path belongs to."""

from __future__ import annotations

from typing import Final

FILES: Final = "Import and export"
MAIL: Final = "Senders, templates, transactional mail"
LISTS: Final = "Recipient lists"
EVENTS: Final = "Events and webhooks"
PUBLIC: Final = "Public routes"
CHAPTERS: Final = {
    "/api/contacts/imports": FILES,
    "/api/contacts.csv": FILES,
    "/api/imports": FILES,
    "/api/contacts": "Contacts",
    "/api/subscriptions": "Subscriptions",
    "/api/client/senders": MAIL,
    "/api/transactional": MAIL,
    "/api/campaigns": "Campaigns",
    "/api/recipient-lists": LISTS,
    "/api/transient-recipient-lists": LISTS,
    "/api/events": EVENTS,
    "/api/client/webhooks": EVENTS,
    "/admin": "Administration",
    "/t/": PUBLIC,
    "/unsubscribe": PUBLIC,
    "/webhooks": PUBLIC,
}
"""By the beginning of the path; the first that fits counts."""


def chapter(path: str) -> str:
    """The chapter in which a route is told of."""
    return next((name for start, name in CHAPTERS.items() if path.startswith(start)), "Service")
