"""Every route of the service, in one table."""

from __future__ import annotations

from api import (
    asyncapi,
    campaigns,
    campaigns_commands,
    campaigns_reads,
    campaigns_trials,
    consent,
    contacts,
    erasure,
    events,
    exports_csv,
    exports_json,
    health,
    history,
    import_jobs,
    imports_csv,
    imports_json,
    imports_undo,
    messages,
    metrics,
    preferences,
    recipient_lists,
    recipient_lists_bulk,
    recipient_lists_members,
    recipient_lists_send,
    senders,
    ses_events,
    subscriptions,
    tags,
    templates,
    tracking,
    transactional,
    unsubscribe,
)
from api import contact_changes as changes
from api import contact_moments as moments
from api.application import Application
from api.documentation import documentation
from api.exports import PROJECTION as EXPORTED
from api.imports_answer import Imported
from api.imports_run import NDJSON
from api.imports_upload import CONSUMES, CsvImport
from api.operator import audiences, clients, keys, organizations, projections, requests, show
from api.recipient_lists_sent import ListSent
from api.routing import Route
from api.transactional_answer import SendAnswer
from api.wiring import Wiring
from config.settings import Settings
from domain.contact.view import ContactPayload, PreferencesPayload
from projections.rebuild.status import Status

CONTACT = {"contact_id": "not_found"}
MOMENT = CONTACT | {"as_of": "must_be_iso_datetime, invalid"}
MOMENTS = CONTACT | dict.fromkeys(("from", "to"), "must_be_iso_datetime, invalid")
TAG = CONTACT | {"tag": "required, invalid, too_long"}
FLAGS = ("global_unsubscribed", "hard_bounced", "complained")
SUPPRESSION = CONTACT | dict.fromkeys(FLAGS, "forbidden")
UPSERT = {f"suppression.{flag}": "forbidden" for flag in FLAGS}
CHOICES = {
    "email": "not_found",
    "categories.*.tag": "duplicate",
    "categories.*.enabled": "suppressed_contact_cannot_be_enabled",
}
CHOSEN = {"email": "not_found", "category_tags": "invalid, too_long"}
FEED = {"types": "invalid", "Last-Event-ID": "invalid"}
OWNER = {"organization": "not_found"}
NEW = OWNER | {"slug": "duplicate"}
APP = {"slug": "not_found", "organization": "not_found, required"}
KEY = APP | {"public_id": "not_found"}
JOB = {"id": "not_found"}
MODEL = {"name": "not_found"}
FREE_MODEL = {"name": "not_found, rebuild_running"}
SENDERS = {
    "senders.*.id": "duplicate, invalid, too_long",
    "senders.*.email": "invalid, too_long, unsupported",
    "default_sender_id": "required, not_found",
}
SAID = "required, invalid, too_long"
BROKEN = "invalid, unsupported, too_large"
TEMPLATE = {
    "key": "invalid, too_long",
    "name": "too_long",
    "subject": "too_long, unsupported, too_large",
    "html_body": BROKEN,
    "text_body": BROKEN,
    "body": "required",
    "required_context.*.name": "invalid",
    "default_sender_id": "not_found",
}
COPY = "invalid, too_long, unsupported"
SEND = {
    "": "transactional_suppressed",
    "email": "unsupported",
    "template_key": "not_found, invalid",
    "context.*": "required",
    "context": "too_large",
    "subject": SAID,
    "body": "required",
    "from_email": "not_found, not_configured",
    "reply_to": COPY,
    "cc": "too_many",
    "bcc": "too_many",
    "cc.*": COPY,
    "bcc.*": COPY,
    "headers": "too_many",
    "headers.*": "invalid_name, reserved, invalid_value, duplicate",
    "message_parts": "too_large",
    "message_parts.*.content_type": "invalid, unsupported",
    "message_parts.*.filename": "invalid",
    "category_tag": "invalid, too_long",
    "audience": "required, not_found",
    "client": "required, forbidden",
}
MESSAGE = {"id": "not_found"}
CAMPAIGN = {"external_key": "not_found"}
DRAFT = {
    "external_key": "required, invalid, too_long",
    "subject": "invalid, too_long",
    "body": "required",
    "html_body": "too_large",
    "text_body": "too_large",
    "preview_text": "invalid, too_long",
    "include_tags": "too_many",
    "exclude_tags": "too_many",
    "category_tag": "invalid, too_long",
    "from_email": "not_found, not_configured",
    "recipient_list_key": "not_found, invalid, too_long",
    "audience": "audience_mismatch",
    "status": "not_editable",
}
QUEUE = CAMPAIGN | {"status": "not_queueable", "from_email": "not_found, not_configured"}
TRIAL = CAMPAIGN | {"emails.*": "unsupported", "from_email": "not_found, not_configured"}
RECIPIENTS = "campaign_recipients"
LIST = {"key": "not_found"}
LIST_KEY = {"key": "required, invalid, too_long"}
LISTED = LIST | {"source_object_key": "not_found, required, invalid, too_long"}
MEMBER = LISTED | {"metadata": "too_large"}
BULK = {"members.*.source_object_key": "required, invalid, too_long, duplicate", "members.*.metadata": "too_large"}
TO_MEMBERS = {
    field: SEND[field]
    for field in (
        "template_key",
        "from_email",
        "reply_to",
        "headers",
        "headers.*",
        "category_tag",
        "audience",
        "client",
    )
} | {"idempotency_key": "required"}
CSV = {"csv": "required, must_be_utf8, missing_header, missing_email_column, duplicate_column"}
REDIRECT = {"request": "invalid_tracking_redirect"}
OUT = {"token": "not_found", "scope": "required, invalid"}
LINES = ("application/json", NDJSON)
openapi, docs = documentation(lambda: ROUTES)

# A line for each route.
# ruff: noqa: E501
# fmt: off
ROUTES: tuple[Route, ...] = (
    # Contacts
    Route("POST", "/api/contacts", contacts.upsert, contacts.UpsertContact, ContactPayload, refuses=UPSERT),
    Route("GET", "/api/contacts/status", contacts.status, contacts.ContactStatus, ContactPayload),
    Route("GET", "/api/contacts/preferences", preferences.read, preferences.ReadPreferences, PreferencesPayload, refuses=CHOSEN),
    Route("PUT", "/api/contacts/preferences", preferences.replace, preferences.SetPreferences, PreferencesPayload, refuses=CHOICES),
    Route("POST", "/api/contacts/erase", erasure.erase, erasure.EraseContact, erasure.Erased),
    Route("GET", "/api/contacts/{contact_id}", moments.as_of, moments.ContactAsOf, moments.ContactThen, refuses=MOMENT),
    Route("GET", "/api/contacts/{contact_id}/changes", moments.between, moments.ContactBetween, moments.ContactChanges, refuses=MOMENTS),
    Route("GET", "/api/contacts/{contact_id}/history", history.history, history.HistoryQuery, history.ContactHistory, refuses=CONTACT, projection=history.PROJECTION),
    Route("GET", "/api/contacts/{contact_id}/consent", consent.consent, None, consent.ConsentProof, refuses=CONTACT, produces=("application/json", "text/html")),
    Route("PATCH", "/api/contacts/{contact_id}/verification", changes.verify, changes.VerifyContact, ContactPayload, refuses=CONTACT),
    Route("PATCH", "/api/contacts/{contact_id}/validation", changes.validate, changes.ValidateContact, ContactPayload, refuses=CONTACT),
    Route("PATCH", "/api/contacts/{contact_id}/suppression", changes.suppress, changes.SuppressContact, ContactPayload, refuses=SUPPRESSION),
    Route("PUT", "/api/contacts/{contact_id}/tags", tags.replace, tags.ReplaceTags, ContactPayload, refuses=CONTACT),
    Route("POST", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.add, tags.TagScope, ContactPayload, refuses=TAG),
    Route("DELETE", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.remove, tags.TagScope, ContactPayload, refuses=TAG),
    Route("POST", "/api/contacts/{contact_id}/tags", tags.add, tags.TagScope, listed=False),
    Route("DELETE", "/api/contacts/{contact_id}/tags", tags.remove, tags.TagScope, listed=False),

    # Import and export
    Route("GET", "/api/contacts", exports_json.export_json, exports_json.ExportJson, exports_json.ContactPage, projection=EXPORTED),
    Route("GET", "/api/contacts.csv", exports_csv.export_csv, exports_csv.ExportCsv, produces=("text/csv",), projection=EXPORTED),
    Route("POST", "/api/contacts/imports", imports_json.import_json, imports_json.JsonImport, Imported, consumes=("application/json",), produces=LINES),
    Route("POST", "/api/contacts/imports/csv", imports_csv.import_csv, CsvImport, Imported, refuses=CSV, consumes=CONSUMES, produces=LINES),
    Route("GET", "/api/imports", import_jobs.list_own, import_jobs.JobQuery, import_jobs.JobPage, projection=import_jobs.PROJECTION),
    Route("GET", "/api/imports/{id}", import_jobs.show, None, import_jobs.JobAnswer, refuses=JOB),
    Route("POST", "/api/imports/{id}/undo", imports_undo.undo_import, imports_undo.UndoImport, imports_undo.UndoneImport, refuses=JOB | {"status": "not_finished"}),
    Route("GET", "/api/imports/{id}/errors.csv", import_jobs.errors_csv, refuses=JOB, produces=("text/csv",)),

    # Subscriptions
    Route("POST", "/api/subscriptions/subscribe", subscriptions.subscribe, subscriptions.Subscribe, ContactPayload),
    Route("POST", "/api/subscriptions/unsubscribe", subscriptions.unsubscribe, subscriptions.Unsubscribe, subscriptions.Unsubscribed),

    # Senders, templates, transactional mail
    Route("GET", "/api/client/senders", senders.read, None, senders.SendersAnswer),
    Route("PUT", "/api/client/senders", senders.replace, senders.ReplaceSenders, senders.SendersAnswer, refuses=SENDERS),
    Route("GET", "/api/transactional/templates/{key}", templates.read, None, templates.TemplatePayload, refuses={"key": "not_found"}),
    Route("PUT", "/api/transactional/templates/{key}", templates.save, templates.SaveTemplate, templates.SavedTemplate, refuses=TEMPLATE),
    Route("POST", "/api/transactional/send", transactional.send, transactional.SendTransactional, SendAnswer, status=202, refuses=SEND, also=(409,)),
    Route("GET", "/api/transactional/messages/{id}", messages.show, None, messages.MessageAnswer, refuses=MESSAGE),

    # Campaigns
    Route("GET", "/api/campaigns/{external_key}", campaigns.show, campaigns.CampaignQuery, campaigns.CampaignAnswer, refuses=CAMPAIGN, projection=RECIPIENTS),
    Route("PUT", "/api/campaigns/{external_key}", campaigns.save, campaigns.SaveCampaign, campaigns.SavedCampaign, status=201, refuses=DRAFT, also=(200,)),
    Route("POST", "/api/campaigns/{external_key}/queue", campaigns_commands.queue, None, campaigns_commands.QueuedCampaign, status=202, refuses=QUEUE),
    Route("POST", "/api/campaigns/{external_key}/cancel", campaigns_commands.cancel, None, campaigns_commands.CancelledCampaign, refuses=CAMPAIGN | {"status": "not_cancellable"}),
    Route("POST", "/api/campaigns/{external_key}/pause", campaigns_commands.pause, None, campaigns.CampaignAnswer, refuses=CAMPAIGN | {"status": "not_pausable"}),
    Route("POST", "/api/campaigns/{external_key}/resume", campaigns_commands.resume, None, campaigns.CampaignAnswer, refuses=CAMPAIGN | {"status": "not_resumable"}),
    Route("POST", "/api/campaigns/{external_key}/preview", campaigns_trials.preview, campaigns_trials.PreviewCampaign, campaigns_trials.Preview, refuses=TRIAL, consumes=("application/json",)),
    Route("POST", "/api/campaigns/{external_key}/test-send", campaigns_trials.test_send, campaigns_trials.TestSend, campaigns_trials.TestSent, status=202, refuses=TRIAL),
    Route("GET", "/api/campaigns/{external_key}/recipients", campaigns_reads.recipients, campaigns_reads.Recipients, campaigns_reads.RecipientPage, refuses=CAMPAIGN, projection=RECIPIENTS),
    Route("GET", "/api/campaigns/{external_key}/stats", campaigns_reads.stats, campaigns_reads.StatsQuery, campaigns_reads.CampaignStats, refuses=CAMPAIGN, projection="campaign_activity"),

    # Recipient lists
    Route("PUT", "/api/recipient-lists/{key}", recipient_lists.save, recipient_lists.SaveRecipientList, recipient_lists.SavedRecipientList, status=201, refuses=LIST_KEY, also=(200,)),
    Route("GET", "/api/recipient-lists/{key}", recipient_lists.show, None, recipient_lists.RecipientListAnswer, refuses=LIST),
    Route("GET", "/api/recipient-lists/{key}/members", recipient_lists_members.list_members, recipient_lists_members.MemberQuery, recipient_lists_members.MemberPage, refuses=LIST, projection=recipient_lists.PROJECTION),
    Route("POST", "/api/recipient-lists/{key}/members/bulk-upsert", recipient_lists_bulk.bulk_upsert, recipient_lists_bulk.BulkUpsert, recipient_lists_bulk.Reconciled, refuses=LIST | BULK),
    Route("POST", "/api/recipient-lists/{key}/members/reconcile", recipient_lists_bulk.bulk_reconcile, recipient_lists_bulk.Reconcile, recipient_lists_bulk.Reconciled, refuses=LIST | BULK),
    Route("PUT", "/api/recipient-lists/{key}/members/{source_object_key}", recipient_lists_members.put, recipient_lists_members.PutMember, recipient_lists_members.MemberAnswer, refuses=MEMBER),
    Route("DELETE", "/api/recipient-lists/{key}/members/{source_object_key}", recipient_lists_members.remove, None, recipient_lists_members.RemovedMember, refuses=LISTED),
    Route("POST", "/api/recipient-lists/{key}/transactional-send", recipient_lists_send.send, recipient_lists_send.ListSend, ListSent, status=202, refuses=TO_MEMBERS | {"key": "not_found, too_many"}),
    Route("POST", "/api/transient-recipient-lists/transactional-send", recipient_lists_send.send_transient, recipient_lists_send.TransientSend, ListSent, status=202, refuses=TO_MEMBERS | BULK),

    # Analytics
    Route("GET", "/api/events", events.events, events.EventQuery, events.EventPage, refuses=FEED, produces=("application/json", "text/event-stream")),

    # Administration
    Route("GET", "/admin/api/organizations", organizations.list_all, None, organizations.Organizations, "operator"),
    Route("POST", "/admin/api/organizations", organizations.create, requests.CreateOrganization, show.OrganizationPayload, "operator", 201, {"slug": "duplicate"}),
    Route("GET", "/admin/api/audiences", audiences.list_all, requests.OfOrganization, audiences.Audiences, "operator", refuses=OWNER),
    Route("POST", "/admin/api/audiences", audiences.create, requests.CreateWithin, show.AudiencePayload, "operator", 201, NEW),
    Route("GET", "/admin/api/clients", clients.list_all, requests.OfOrganization, clients.Clients, "operator", refuses=OWNER),
    Route("POST", "/admin/api/clients", clients.create, requests.CreateWithin, show.ClientPayload, "operator", 201, NEW),
    Route("POST", "/admin/api/clients/{slug}/activate", clients.activate, requests.OfClient, show.ClientPayload, "operator", refuses=APP),
    Route("POST", "/admin/api/clients/{slug}/deactivate", clients.deactivate, requests.OfClient, show.ClientPayload, "operator", refuses=APP),
    Route("GET", "/admin/api/clients/{slug}/keys", keys.list_all, requests.OfClient, keys.Keys, "operator", refuses=APP),
    Route("POST", "/admin/api/clients/{slug}/keys", keys.create, requests.CreateKey, show.NewKeyPayload, "operator", 201, APP | {"name": "duplicate"}),
    Route("DELETE", "/admin/api/clients/{slug}/keys/{public_id}", keys.revoke, requests.OfClient, show.KeyPayload, "operator", refuses=KEY),
    Route("POST", "/admin/api/clients/{slug}/keys/{public_id}/revoke", keys.revoke, requests.OfClient, show.KeyPayload, "operator", refuses=KEY),
    Route("GET", "/admin/api/projections", projections.list_all, None, projections.Projections, "operator"),
    Route("GET", "/admin/api/projections/{name}", projections.show, None, Status, "operator", refuses=MODEL),
    Route("POST", "/admin/api/projections/{name}/rebuild", projections.rebuild, None, Status, "operator", 202, FREE_MODEL),
    Route("POST", "/admin/api/projections/{name}/verify", projections.verify, None, Status, "operator", 202, FREE_MODEL),
    Route("POST", "/admin/api/projections/{name}/unpark", projections.unpark, None, Status, "operator", refuses=MODEL),

    # Public
    Route("GET", "/t/o/{token}.gif", tracking.opened, None, None, "public", produces=("image/gif",)),
    Route("GET", "/t/c/{token}", tracking.clicked, None, None, "public", 302, REDIRECT, produces=("text/plain",)),
    Route("GET", "/unsubscribe/{token}", unsubscribe.show, None, None, "public", produces=("text/html",)),
    Route("POST", "/unsubscribe/{token}", unsubscribe.leave, None, None, "public", refuses=OUT, consumes=(unsubscribe.FORM, unsubscribe.MULTIPART), produces=("text/html",)),
    Route("POST", "/webhooks/ses", ses_events.ses_events, None, ses_events.SesAnswer, "public", refuses=ses_events.REFUSES, consumes=("text/plain", "application/json")),

    # Service
    Route("GET", "/health", health.health, None, health.Health, "public"),
    Route("GET", "/ready", health.ready, None, health.Readiness, "public", also=(503,)),
    Route("GET", "/metrics", metrics.metrics, None, None, "public", produces=("text/plain",)),
    Route("GET", "/asyncapi.json", asyncapi.asyncapi, None, None, "public"),
    Route("GET", "/openapi.json", openapi, None, None, "public"),
    Route("GET", "/docs", docs, None, None, "public", produces=("text/html",)),
)
# fmt: on


def application(settings: Settings) -> Application:
    """The ASGI application over the settings' database."""
    return Application(ROUTES, Wiring(settings))
