"""Every route of the service, in one table."""

from __future__ import annotations

from api import (
    asyncapi,
    campaigns,
    campaigns_audience,
    campaigns_commands,
    campaigns_reads,
    campaigns_trials,
    campaigns_why,
    codes,
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
    recipient_lists_imports,
    recipient_lists_members,
    recipient_lists_send,
    recipient_lists_sends,
    senders,
    ses_events,
    subscriptions,
    tags,
    templates,
    tracking,
    transactional,
    unsubscribe,
    webhooks,
    webhooks_payload,
)
from api import contact_changes as changes
from api import contact_moments as moments
from api.application import Application
from api.campaigns_explained import Explanation
from api.documentation import documentation
from api.exports import PROJECTION as EXPORTED
from api.imports_answer import Imported
from api.imports_run import NDJSON
from api.imports_upload import CONSUMES, CsvImport
from api.operator import audiences, clients, dead_letters, keys, organizations, projections, requests, show
from api.recipient_lists_sent import ListSent
from api.routing import Route
from api.transactional_answer import SendAnswer
from api.wiring import Wiring
from config.settings import Settings
from domain.contact.view import ContactPayload, PreferencesPayload
from projections.rebuild.status import Status

RECIPIENTS = "campaign_recipients"
LINES = ("application/json", NDJSON)
openapi, docs = documentation(lambda: ROUTES)

# A line for each route.
# ruff: noqa: E501
# fmt: off
ROUTES: tuple[Route, ...] = (
    # Contacts
    Route("POST", "/api/contacts", contacts.upsert, contacts.UpsertContact, ContactPayload, refuses=codes.UPSERT),
    Route("GET", "/api/contacts/status", contacts.status, contacts.ContactStatus, ContactPayload),
    Route("GET", "/api/contacts/preferences", preferences.read, preferences.ReadPreferences, PreferencesPayload, refuses=codes.CHOSEN),
    Route("PUT", "/api/contacts/preferences", preferences.replace, preferences.SetPreferences, PreferencesPayload, refuses=codes.CHOICES),
    Route("POST", "/api/contacts/erase", erasure.erase, erasure.EraseContact, erasure.Erased),
    Route("GET", "/api/contacts/{contact_id}", moments.as_of, moments.ContactAsOf, moments.ContactThen, refuses=codes.MOMENT),
    Route("GET", "/api/contacts/{contact_id}/changes", moments.between, moments.ContactBetween, moments.ContactChanges, refuses=codes.MOMENTS),
    Route("GET", "/api/contacts/{contact_id}/history", history.history, history.HistoryQuery, history.ContactHistory, refuses=codes.CONTACT, projection=history.PROJECTION),
    Route("GET", "/api/contacts/{contact_id}/consent", consent.consent, None, consent.ConsentProof, refuses=codes.CONTACT, produces=("application/json", "text/html")),
    Route("PATCH", "/api/contacts/{contact_id}/verification", changes.verify, changes.VerifyContact, ContactPayload, refuses=codes.CONTACT),
    Route("PATCH", "/api/contacts/{contact_id}/validation", changes.validate, changes.ValidateContact, ContactPayload, refuses=codes.CONTACT),
    Route("PATCH", "/api/contacts/{contact_id}/suppression", changes.suppress, changes.SuppressContact, ContactPayload, refuses=codes.SUPPRESSION),
    Route("PUT", "/api/contacts/{contact_id}/tags", tags.replace, tags.ReplaceTags, ContactPayload, refuses=codes.CONTACT),
    Route("POST", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.add, tags.TagScope, ContactPayload, refuses=codes.TAG),
    Route("DELETE", "/api/contacts/{contact_id}/tags/{tag_slug}", tags.remove, tags.TagScope, ContactPayload, refuses=codes.TAG),
    Route("POST", "/api/contacts/{contact_id}/tags", tags.add, tags.TagScope, listed=False),
    Route("DELETE", "/api/contacts/{contact_id}/tags", tags.remove, tags.TagScope, listed=False),

    # Import and export
    Route("GET", "/api/contacts", exports_json.export_json, exports_json.ExportJson, exports_json.ContactPage, projection=EXPORTED),
    Route("GET", "/api/contacts.csv", exports_csv.export_csv, exports_csv.ExportCsv, produces=("text/csv",), projection=EXPORTED),
    Route("POST", "/api/contacts/imports", imports_json.import_json, imports_json.JsonImport, Imported, consumes=("application/json",), produces=LINES),
    Route("POST", "/api/contacts/imports/csv", imports_csv.import_csv, CsvImport, Imported, refuses=codes.CSV, consumes=CONSUMES, produces=LINES, job=import_jobs.JobAnswer, location="/api/imports/{job}"),
    Route("GET", "/api/imports", import_jobs.list_own, import_jobs.JobQuery, import_jobs.JobPage, projection=import_jobs.PROJECTION),
    Route("GET", "/api/imports/{id}", import_jobs.show, None, import_jobs.JobAnswer, refuses=codes.JOB),
    Route("POST", "/api/imports/{id}/undo", imports_undo.undo_import, imports_undo.UndoImport, imports_undo.UndoneImport, refuses=codes.JOB | {"status": "not_finished"}),
    Route("GET", "/api/imports/{id}/errors.csv", import_jobs.errors_csv, refuses=codes.JOB, produces=("text/csv",)),

    # Subscriptions
    Route("POST", "/api/subscriptions/subscribe", subscriptions.subscribe, subscriptions.Subscribe, ContactPayload),
    Route("POST", "/api/subscriptions/unsubscribe", subscriptions.unsubscribe, subscriptions.Unsubscribe, subscriptions.Unsubscribed),

    # Senders, templates, transactional mail
    Route("GET", "/api/client/senders", senders.read, None, senders.SendersAnswer),
    Route("PUT", "/api/client/senders", senders.replace, senders.ReplaceSenders, senders.SendersAnswer, refuses=codes.SENDERS),
    Route("GET", "/api/transactional/templates/{key}", templates.read, None, templates.TemplatePayload, refuses={"key": "not_found"}),
    Route("PUT", "/api/transactional/templates/{key}", templates.save, templates.SaveTemplate, templates.SavedTemplate, refuses=codes.TEMPLATE),
    Route("POST", "/api/transactional/send", transactional.send, transactional.SendTransactional, SendAnswer, status=202, refuses=codes.SEND, also=(409,)),
    Route("GET", "/api/transactional/messages/{id}", messages.show, None, messages.MessageAnswer, refuses=codes.MESSAGE),

    # Campaigns
    Route("GET", "/api/campaigns/{external_key}", campaigns.show, campaigns.CampaignQuery, campaigns.CampaignAnswer, refuses=codes.CAMPAIGN, projection=RECIPIENTS),
    Route("PUT", "/api/campaigns/{external_key}", campaigns.save, campaigns.SaveCampaign, campaigns.SavedCampaign, status=201, refuses=codes.DRAFT, also=(200,)),
    Route("POST", "/api/campaigns/{external_key}/queue", campaigns_commands.queue, None, campaigns_commands.QueuedCampaign, status=202, refuses=codes.QUEUE),
    Route("POST", "/api/campaigns/{external_key}/cancel", campaigns_commands.cancel, None, campaigns_commands.CancelledCampaign, refuses=codes.CAMPAIGN | {"status": "not_cancellable"}),
    Route("POST", "/api/campaigns/{external_key}/pause", campaigns_commands.pause, None, campaigns.CampaignAnswer, refuses=codes.CAMPAIGN | {"status": "not_pausable"}),
    Route("POST", "/api/campaigns/{external_key}/resume", campaigns_commands.resume, None, campaigns.CampaignAnswer, refuses=codes.CAMPAIGN | {"status": "not_resumable"}),
    Route("POST", "/api/campaigns/{external_key}/preview", campaigns_trials.preview, campaigns_trials.PreviewCampaign, campaigns_trials.Preview, refuses=codes.TRIAL, consumes=("application/json",)),
    Route("POST", "/api/campaigns/{external_key}/test-send", campaigns_trials.test_send, campaigns_trials.TestSend, campaigns_trials.TestSent, status=202, refuses=codes.TRIAL),
    Route("GET", "/api/campaigns/{external_key}/recipients", campaigns_reads.recipients, campaigns_reads.Recipients, campaigns_reads.RecipientPage, refuses=codes.CAMPAIGN, projection=RECIPIENTS),
    Route("GET", "/api/campaigns/{external_key}/stats", campaigns_reads.stats, campaigns_reads.StatsQuery, campaigns_reads.CampaignStats, refuses=codes.CAMPAIGN, projection="campaign_activity"),
    Route("GET", "/api/campaigns/{external_key}/why", campaigns_why.why, campaigns_why.WhyQuery, Explanation, refuses=codes.WHY),
    Route("GET", "/api/campaigns/{external_key}/audience", campaigns_audience.audience, campaigns_audience.AudienceQuery, campaigns_audience.CampaignAudience, refuses=codes.AUDIENCE, projection=campaigns_audience.PROJECTION),

    # Recipient lists
    Route("PUT", "/api/recipient-lists/{key}", recipient_lists.save, recipient_lists.SaveRecipientList, recipient_lists.SavedRecipientList, status=201, refuses=codes.LIST_KEY, also=(200,)),
    Route("GET", "/api/recipient-lists/{key}", recipient_lists.show, None, recipient_lists.RecipientListAnswer, refuses=codes.LIST),
    Route("GET", "/api/recipient-lists/{key}/members", recipient_lists_members.list_members, recipient_lists_members.MemberQuery, recipient_lists_members.MemberPage, refuses=codes.LIST, projection=recipient_lists.PROJECTION),
    Route("POST", "/api/recipient-lists/{key}/members/bulk-upsert", recipient_lists_bulk.bulk_upsert, recipient_lists_bulk.BulkUpsert, recipient_lists_bulk.Reconciled, refuses=codes.LIST | codes.BULK),
    Route("POST", "/api/recipient-lists/{key}/members/reconcile", recipient_lists_bulk.bulk_reconcile, recipient_lists_bulk.Reconcile, recipient_lists_bulk.Reconciled, refuses=codes.LIST | codes.BULK),
    Route("PUT", "/api/recipient-lists/{key}/members/{source_object_key}", recipient_lists_members.put, recipient_lists_members.PutMember, recipient_lists_members.MemberAnswer, refuses=codes.MEMBER),
    Route("DELETE", "/api/recipient-lists/{key}/members/{source_object_key}", recipient_lists_members.remove, None, recipient_lists_members.RemovedMember, refuses=codes.LISTED),
    Route("POST", "/api/recipient-lists/{key}/imports", recipient_lists_imports.queue, recipient_lists_imports.ImportMembers, recipient_lists_imports.ListImportAnswer, status=202, refuses=codes.LIST | {"url": "unsupported, forbidden"}, location="/api/recipient-lists/{key}/imports/{job}"),
    Route("GET", "/api/recipient-lists/{key}/imports", recipient_lists_imports.list_own, import_jobs.JobQuery, recipient_lists_imports.ListImportPage, refuses=codes.LIST, projection=import_jobs.PROJECTION),
    Route("GET", "/api/recipient-lists/{key}/imports/{id}", recipient_lists_imports.show, None, recipient_lists_imports.ListImportAnswer, refuses=codes.LIST | codes.JOB),
    Route("POST", "/api/recipient-lists/{key}/transactional-send", recipient_lists_send.send, recipient_lists_send.ListSend, ListSent, status=202, refuses=codes.TO_MEMBERS | codes.LIST),
    Route("GET", "/api/recipient-lists/{key}/sends/{id}", recipient_lists_sends.show, None, recipient_lists_sends.ListSendAnswer, refuses=codes.LIST | codes.JOB),
    Route("POST", "/api/transient-recipient-lists/transactional-send", recipient_lists_send.send_transient, recipient_lists_send.TransientSend, ListSent, status=202, refuses=codes.TO_MEMBERS | codes.BULK),

    # Analytics
    Route("GET", "/api/events", events.events, events.EventQuery, events.EventPage, refuses=codes.FEED, produces=("application/json", "text/event-stream")),

    Route("GET", "/api/client/webhooks", webhooks.list_own, webhooks_payload.WebhookQuery, webhooks_payload.Webhooks, projection=webhooks.PROJECTION),
    Route("PUT", "/api/client/webhooks/{key}", webhooks.save, webhooks_payload.SaveWebhook, webhooks_payload.SavedWebhook, status=201, refuses=codes.WEBHOOK, also=(200,)),
    Route("GET", "/api/client/webhooks/{key}", webhooks.show, None, webhooks_payload.WebhookAnswer, refuses=codes.LIST),
    Route("DELETE", "/api/client/webhooks/{key}", webhooks.delete, None, webhooks_payload.DeletedWebhook, refuses=codes.LIST),
    Route("POST", "/api/client/webhooks/{key}/rotate-secret", webhooks.rotate, None, webhooks_payload.RotatedSecret, refuses=codes.LIST),
    Route("POST", "/api/client/webhooks/{key}/test", webhooks.ping, None, webhooks_payload.TestedWebhook, status=202, refuses={"key": "not_found, switched_off"}),

    # Administration
    Route("GET", "/admin/api/organizations", organizations.list_all, None, organizations.Organizations, "operator"),
    Route("POST", "/admin/api/organizations", organizations.create, requests.CreateOrganization, show.OrganizationPayload, "operator", 201, {"slug": "duplicate"}),
    Route("GET", "/admin/api/audiences", audiences.list_all, requests.OfOrganization, audiences.Audiences, "operator", refuses=codes.OWNER),
    Route("POST", "/admin/api/audiences", audiences.create, requests.CreateWithin, show.AudiencePayload, "operator", 201, codes.NEW),
    Route("GET", "/admin/api/clients", clients.list_all, requests.OfOrganization, clients.Clients, "operator", refuses=codes.OWNER),
    Route("POST", "/admin/api/clients", clients.create, requests.CreateWithin, show.ClientPayload, "operator", 201, codes.NEW),
    Route("POST", "/admin/api/clients/{slug}/activate", clients.activate, requests.OfClient, show.ClientPayload, "operator", refuses=codes.APP),
    Route("POST", "/admin/api/clients/{slug}/deactivate", clients.deactivate, requests.OfClient, show.ClientPayload, "operator", refuses=codes.APP),
    Route("GET", "/admin/api/clients/{slug}/keys", keys.list_all, requests.OfClient, keys.Keys, "operator", refuses=codes.APP),
    Route("POST", "/admin/api/clients/{slug}/keys", keys.create, requests.CreateKey, show.NewKeyPayload, "operator", 201, codes.APP | {"name": "duplicate"}),
    Route("DELETE", "/admin/api/clients/{slug}/keys/{public_id}", keys.revoke, requests.OfClient, show.KeyPayload, "operator", refuses=codes.KEY),
    Route("POST", "/admin/api/clients/{slug}/keys/{public_id}/revoke", keys.revoke, requests.OfClient, show.KeyPayload, "operator", refuses=codes.KEY),
    Route("GET", "/admin/api/projections", projections.list_all, None, projections.Projections, "operator"),
    Route("GET", "/admin/api/projections/{name}", projections.show, None, Status, "operator", refuses=codes.MODEL),
    Route("POST", "/admin/api/projections/{name}/rebuild", projections.rebuild, None, Status, "operator", 202, codes.FREE_MODEL),
    Route("POST", "/admin/api/projections/{name}/verify", projections.verify, None, Status, "operator", 202, codes.FREE_MODEL),
    Route("POST", "/admin/api/projections/{name}/unpark", projections.unpark, None, Status, "operator", refuses=codes.MODEL),
    Route("GET", "/admin/api/dead-letters", dead_letters.list_all, dead_letters.DeadLetterQuery, dead_letters.DeadLetters, "operator", refuses={"cursor": "invalid"}),
    Route("POST", "/admin/api/dead-letters/{id}/retry", dead_letters.retry, None, dead_letters.Retried, "operator", refuses=codes.JOB),
    Route("POST", "/admin/api/dead-letters/{id}/drop", dead_letters.drop, None, dead_letters.Dropped, "operator", refuses={"id": "not_found, not_droppable"}),
    Route("DELETE", "/admin/api/dead-letters/{id}", dead_letters.drop, None, dead_letters.Dropped, "operator", refuses={"id": "not_found, not_droppable"}),

    # Public
    Route("GET", "/t/o/{token}.gif", tracking.opened, None, None, "public", produces=("image/gif",)),
    Route("GET", "/t/c/{token}", tracking.clicked, None, None, "public", 302, codes.REDIRECT, produces=("text/plain",)),
    Route("GET", "/unsubscribe/{token}", unsubscribe.show, None, None, "public", produces=("text/html",)),
    Route("POST", "/unsubscribe/{token}", unsubscribe.leave, None, None, "public", refuses=codes.OUT, consumes=(unsubscribe.FORM, unsubscribe.MULTIPART), produces=("text/html",)),
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
