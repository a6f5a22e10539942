"""Every route of the service, in one table."""

from __future__ import annotations

from api import contact_changes, contacts, erasure, preferences, subscriptions, tags
from api.application import Application
from api.routing import Route
from api.wiring import Wiring
from config.settings import Settings
from domain.contact.view import ContactPayload, PreferencesPayload

HERE = {"contact_id": "not_found"}
TAG = {"contact_id": "not_found", "tag": "required, invalid, too_long"}
LIFTED = dict.fromkeys(("global_unsubscribed", "hard_bounced", "complained"), "forbidden")

ROUTES = (
    # Contacts
    Route("POST", "/api/contacts", contacts.upsert, contacts.UpsertContact, ContactPayload),
    Route("GET", "/api/contacts/status", contacts.status, contacts.ContactStatus, ContactPayload),
    Route("GET", "/api/contacts/preferences", preferences.read, preferences.ReadPreferences, PreferencesPayload),
    Route("PUT", "/api/contacts/preferences", preferences.replace, preferences.SetPreferences, PreferencesPayload),
    Route("POST", "/api/contacts/erase", erasure.erase, erasure.EraseContact, erasure.Erased),
    Route(
        "GET", "/api/contacts/{contact_id}", contacts.as_of, contacts.ContactAsOf, contacts.ContactThen, refuses=HERE
    ),
    Route("PATCH", "/api/contacts/{contact_id}/verification", contact_changes.verify, contact_changes.VerifyContact),
    Route("PATCH", "/api/contacts/{contact_id}/validation", contact_changes.validate, contact_changes.ValidateContact),
    Route("PATCH", "/api/contacts/{contact_id}/suppression", contact_changes.suppress, contact_changes.SuppressContact),
    Route("PUT", "/api/contacts/{contact_id}/tags", tags.replace, tags.ReplaceTags, ContactPayload, refuses=HERE),
    Route("POST", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.add, tags.TagScope, ContactPayload, refuses=TAG),
    Route(
        "DELETE", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.remove, tags.TagScope, ContactPayload, refuses=TAG
    ),
    Route("POST", "/api/contacts/{contact_id}/tags", tags.add, tags.TagScope, listed=False),
    Route("DELETE", "/api/contacts/{contact_id}/tags", tags.remove, tags.TagScope, listed=False),
    # Subscriptions
    Route("POST", "/api/subscriptions/subscribe", subscriptions.subscribe, subscriptions.Subscribe, ContactPayload),
    Route(
        "POST",
        "/api/subscriptions/unsubscribe",
        subscriptions.unsubscribe,
        subscriptions.Unsubscribe,
        subscriptions.Unsubscribed,
    ),
)


def application(settings: Settings) -> Application:
    """The ASGI application over the settings' database."""
    return Application(ROUTES, Wiring(settings))
