"""What each route may refuse: the error codes of each field, for the OpenAPI document."""

from __future__ import annotations

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
WHY = CAMPAIGN | {"contact_id": "required, not_found", "email": "invalid, not_found"}
AUDIENCE = CAMPAIGN | {"as_of": "must_be_iso_datetime, invalid"}
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
WEBHOOK = {
    "key": "invalid, too_long, too_many",
    "url": "required, invalid, unsupported, too_long",
    "description": "invalid, too_long",
}
CSV = {"csv": "required, must_be_utf8, missing_header, missing_email_column, duplicate_column"}
REDIRECT = {"request": "invalid_tracking_redirect"}
OUT = {"token": "not_found", "scope": "required, invalid"}
