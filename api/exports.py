"""What both exports share: the filters of the seed *Contact export*, and how they choose rows."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final, Literal

from msgspec import UNSET, Meta, UnsetType

from api.call import Call
from api.contacts import Status
from api.fields import Scoped, code_of, said
from api.scalars import FALSE, TRUE
from domain.contact import ValidationStatus, tags_named

PROJECTION: Final = "contacts"

FILTERED: Final = """
    c.audience_id = %(audience_id)s AND c.client_id = %(client_id)s AND c.contact_id > %(after)s
    AND (%(status)s::text IS NULL OR c.status = %(status)s)
    AND (%(verified)s::boolean IS NULL
        OR (c.verified_at IS NOT NULL OR c.globally_verified_at IS NOT NULL) = %(verified)s)
    AND (%(validation_status)s::text IS NULL OR c.validation_status = %(validation_status)s)
    AND (%(updated_since)s::timestamptz IS NULL OR c.updated_at >= %(updated_since)s)
    AND (cardinality(%(tags)s::text[]) = 0 OR c.tags @> %(tags)s)
    AND CASE %(suppression)s::text
        WHEN 'none' THEN NOT (c.global_unsubscribed OR c.hard_bounced OR c.complained)
        WHEN 'any' THEN c.global_unsubscribed OR c.hard_bounced OR c.complained
        WHEN 'global_unsubscribed' THEN c.global_unsubscribed
        WHEN 'hard_bounced' THEN c.hard_bounced
        WHEN 'complained' THEN c.complained
        ELSE true
    END
"""
"""The condition on rows ``c`` of the read model ``contacts``."""


def boolean_word(text: str) -> str | None:
    """``invalid`` unless the text is one of the words that the CSV import takes for a boolean."""
    return None if text.strip().lower() in TRUE | FALSE else "invalid"


def tag_list(text: str) -> list[str]:
    """The slugs of tags between commas. Raises Rejected on ``tags``."""
    return list(tags_named([name for name in text.split(",") if name.strip()]))


Word = Annotated[str, Meta(extra={"check": boolean_word, "checked_codes": ("invalid",)})]
Tags = Annotated[str, Meta(extra={"check": code_of(tag_list), "checked_codes": ("invalid", "too_long")})]
Suppressed = Literal["none", "any", "global_unsubscribed", "hard_bounced", "complained"]


class Filters(Scoped, kw_only=True):
    """Which contacts. All filters must hold; ``tags`` are separated by commas and must all be there."""

    tags: Tags | UnsetType = UNSET
    subscription_status: Status | UnsetType = UNSET
    verified: Word | UnsetType = UNSET
    email_validation_status: ValidationStatus | UnsetType = UNSET
    suppression: Suppressed | UnsetType = UNSET
    updated_since: datetime | UnsetType = UNSET


def parameters(call: Call, given: Filters) -> dict[str, Any]:
    """The parameters of :data:`FILTERED`, from the first contact on."""
    verified = said(given.verified)
    return {
        "audience_id": call.audience.number,
        "client_id": call.caller.number,
        "after": 0,
        "status": said(given.subscription_status),
        "verified": None if verified is None else verified.strip().lower() in TRUE,
        "validation_status": said(given.email_validation_status),
        "updated_since": said(given.updated_since),
        "tags": tag_list(said(given.tags) or ""),
        "suppression": said(given.suppression),
    }
