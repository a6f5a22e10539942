"""Every subscription as the export shows it: one flat row, kept in the order in which it is read out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain.contact import decider
from domain.contact import events as e
from domain.decider import Event
from domain.personal import Personal
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows, Table

DDL: LiteralString = """
-- One row for each subscription of a contact; client 0 is the audience as a whole. A contact without any subscription
-- has one row with audience 0 and client 0 and no status. Every row shows the facts of its contact.
CREATE TABLE IF NOT EXISTS contacts (
    audience_id bigint NOT NULL,
    client_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    organization_id bigint NOT NULL, -- whose audience it is
    email text NOT NULL,
    created_at timestamptz NOT NULL, -- of the contact
    updated_at timestamptz NOT NULL, -- of the last change that this row shows
    globally_verified_at timestamptz,
    validation_status text NOT NULL,
    validation_reason text NOT NULL,
    validated_at timestamptz,
    validated_by bigint NOT NULL, -- the organization whose words the reason is
    global_unsubscribed_by bigint[] NOT NULL, -- the organizations that recorded it; so the next two
    hard_bounced_by bigint[] NOT NULL,
    complained_by bigint[] NOT NULL,
    status text, -- pending, subscribed or unsubscribed
    verified_at timestamptz, -- in this scope
    unsubscribed_at timestamptz,
    unsubscribe_reason text NOT NULL,
    tags text[] NOT NULL, -- slugs in the audience, sorted
    global_unsubscribed boolean NOT NULL GENERATED ALWAYS AS (cardinality(global_unsubscribed_by) > 0) STORED,
    hard_bounced boolean NOT NULL GENERATED ALWAYS AS (cardinality(hard_bounced_by) > 0) STORED,
    complained boolean NOT NULL GENERATED ALWAYS AS (cardinality(complained_by) > 0) STORED,
    PRIMARY KEY (audience_id, client_id, contact_id)
) WITH (fillfactor = 85, autovacuum_vacuum_scale_factor = 0.05);
"""
INDEXES: LiteralString = "CREATE INDEX IF NOT EXISTS contacts_contact ON contacts (contact_id);"


class ContactRow(msgspec.Struct, frozen=True):
    """What the table's comments say, column by column."""

    audience_id: int
    client_id: int
    contact_id: int
    organization_id: int
    email: str
    created_at: datetime
    updated_at: datetime
    globally_verified_at: datetime | None = None
    validation_status: str = "unknown"
    validation_reason: str = ""
    validated_at: datetime | None = None
    validated_by: int = 0
    global_unsubscribed_by: list[int] = []
    hard_bounced_by: list[int] = []
    complained_by: list[int] = []
    status: str | None = None
    verified_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    unsubscribe_reason: str = ""
    tags: list[str] = []


NOWHERE: Final = (0, 0)
"""The place of the row of a contact without any subscription."""


def _text(personal: Personal | None) -> str:
    return "" if personal is None else personal.text


def _change(row: ContactRow, at: datetime, **shown: Any) -> ContactRow:
    """The row with what it shows changed, and when.

    Texts are never compared: those whose key is gone read as empty, and a replay must come to the same times.
    """
    return replace(row, updated_at=max(at, row.updated_at), **shown)


def _everywhere(rows: Rows, at: datetime, **shown: Any) -> Rows:
    return {place: _change(row, at, **shown) for place, row in rows.items()}


OWN: Final[dict[str, Any]] = {
    "audience_id": 0,
    "client_id": 0,
    "organization_id": 0,
    "status": None,
    "verified_at": None,
    "unsubscribed_at": None,
    "unsubscribe_reason": "",
    "tags": [],
}
"""What a row does not share with the others of its contact, as it is before anything is known."""


def _registered(rows: Rows, recorded: Recorded, event: e.ContactRegistered) -> Rows:
    email = event.email.text
    if rows:
        return _everywhere(rows, event.at, email=email)
    return {NOWHERE: ContactRow(0, 0, recorded.contact_id, 0, email, event.at, event.at)}


def _in_scope(rows: Rows, event: Any, **shown: Any) -> Rows:
    """Change the row of the event's scope; a new one has the facts of the contact and the tags of the audience."""
    audience, client = place = (event.audience_id, event.client_id)
    scope = {"audience_id": audience, "client_id": client, "updated_at": event.at}
    if NOWHERE in rows:
        return {place: replace(rows[NOWHERE], **scope, **shown)}
    row = rows.get(place)
    if row is not None:
        return {**rows, place: _change(row, event.at, **shown)}
    tags: list[str] = next((row.tags for (other, _), row in rows.items() if other == audience), [])
    return {**rows, place: replace(next(iter(rows.values())), **{**OWN, **scope, "tags": tags, **shown})}


def _entered(rows: Rows, _: Recorded, event: e.ContactSubscribed, *, status: str = "subscribed") -> Rows:
    row = rows.get((event.audience_id, event.client_id))
    return _in_scope(
        rows,
        event,
        organization_id=event.organization_id,
        status=status,
        verified_at=(row and row.verified_at) or event.verified_at,
        unsubscribed_at=None,
        unsubscribe_reason="",
    )


def _unsubscribed(rows: Rows, _: Recorded, event: e.ContactUnsubscribed) -> Rows:
    return _in_scope(
        rows,
        event,
        organization_id=event.organization_id,
        status="unsubscribed",
        unsubscribed_at=event.at,
        unsubscribe_reason=_text(event.reason),
    )


def _withdrawn(rows: Rows, _: Recorded, event: e.ContactSubscriptionWithdrawn) -> Rows:
    """The row goes; the contact's last one stays as that of a contact without any subscription."""
    gone = rows.get((event.audience_id, event.client_id))
    if gone is None:
        return rows
    left = {place: row for place, row in rows.items() if row is not gone}
    return left or {NOWHERE: replace(gone, **OWN, updated_at=max(event.at, gone.updated_at))}


def _restored(rows: Rows, _: Recorded, event: e.ContactSubscriptionRestored) -> Rows:
    return _in_scope(
        rows,
        event,
        organization_id=event.organization_id,
        status=event.status,
        verified_at=event.verified_at,
        unsubscribed_at=event.unsubscribed_at,
        unsubscribe_reason=_text(event.reason),
    )


def _shown_in_scope(rows: Rows, event: Any, **shown: Any) -> Rows:
    """Change the row of the event's scope, if there is one; scope 0, 0 is none."""
    place = (event.audience_id, event.client_id)
    row = rows.get(place)
    return rows if row is None or row.status is None else {**rows, place: _change(row, event.at, **shown)}


def _unsubscribe_explained(rows: Rows, _: Recorded, event: e.ContactUnsubscribeExplained) -> Rows:
    return _shown_in_scope(rows, event, unsubscribe_reason=_text(event.reason))


def _verified(rows: Rows, _: Recorded, event: e.ContactVerified) -> Rows:
    if not event.audience_id:
        return _everywhere(rows, event.at, globally_verified_at=event.verified_at)
    return _shown_in_scope(rows, event, verified_at=event.verified_at)


def _verification_withdrawn(rows: Rows, _: Recorded, event: e.ContactVerificationWithdrawn) -> Rows:
    if not event.audience_id:
        return _everywhere(rows, event.at, globally_verified_at=None)
    return _shown_in_scope(rows, event, verified_at=None)


def _email_validated(rows: Rows, _: Recorded, event: e.ContactEmailValidated) -> Rows:
    """Without a reason, the one there stands, and whose words it is."""
    said = event.reason
    reason = {} if said is None else {"validation_reason": said.text, "validated_by": event.organization_id}
    return _everywhere(rows, event.at, validation_status=event.status, validated_at=event.validated_at, **reason)


def _suppressed(rows: Rows, _: Recorded, event: Any, *, flag: str, lifted: bool = False) -> Rows:
    """Note who recorded it. What the rows show changes with the first one, and when the last one takes it back."""
    before = set(getattr(next(iter(rows.values())), flag))
    after = before - {event.organization_id} if lifted else before | {event.organization_id}
    if bool(before) != bool(after):
        return _everywhere(rows, event.at, **{flag: sorted(after)})
    return {place: replace(row, **{flag: sorted(after)}) for place, row in rows.items()}


def _tags(rows: Rows, audience_id: int, at: datetime, tags: Callable[[set[str]], set[str]]) -> Rows:
    return {
        place: _change(row, at, tags=sorted(tags(set(row.tags)))) if place[0] == audience_id else row
        for place, row in rows.items()
    }


def _tagged(rows: Rows, _: Recorded, event: e.ContactTagged) -> Rows:
    return _tags(rows, event.audience_id, event.at, lambda tags: tags.union(tag.slug for tag in event.tags))


def _untagged(rows: Rows, _: Recorded, event: e.ContactUntagged) -> Rows:
    return _tags(rows, event.audience_id, event.at, lambda tags: tags.difference(event.slugs))


def _erased(rows: Rows, _: Recorded, event: e.ContactErased) -> Rows:
    """The organization's rows go, and its words about the address; with the last organization every row goes."""
    if event.last:
        return {}
    own = event.organization_id
    left = {place: row for place, row in rows.items() if row.organization_id != own}
    left = left or {NOWHERE: replace(next(iter(rows.values())), **OWN, updated_at=event.at)}
    if any(row.validated_by == own for row in left.values()):
        return _everywhere(left, event.at, validation_reason="")
    return left


CASES: Final[dict[type[Event], Callable[[Rows, Recorded, Any], Rows]]] = {
    e.ContactRegistered: _registered,
    e.ContactAwaitingConfirmation: partial(_entered, status="pending"),
    e.ContactSubscribed: _entered,
    e.ContactResubscribed: _entered,
    e.ContactUnsubscribed: _unsubscribed,
    e.ContactSubscriptionWithdrawn: _withdrawn,
    e.ContactSubscriptionRestored: _restored,
    e.ContactUnsubscribeExplained: _unsubscribe_explained,
    e.ContactGloballyUnsubscribed: partial(_suppressed, flag="global_unsubscribed_by"),
    e.ContactGlobalUnsubscribeLifted: partial(_suppressed, flag="global_unsubscribed_by", lifted=True),
    e.ContactHardBounced: partial(_suppressed, flag="hard_bounced_by"),
    e.ContactHardBounceLifted: partial(_suppressed, flag="hard_bounced_by", lifted=True),
    e.ContactComplained: partial(_suppressed, flag="complained_by"),
    e.ContactComplaintLifted: partial(_suppressed, flag="complained_by", lifted=True),
    e.ContactVerified: _verified,
    e.ContactVerificationWithdrawn: _verification_withdrawn,
    e.ContactEmailValidated: _email_validated,
    e.ContactTagged: _tagged,
    e.ContactUntagged: _untagged,
    e.ContactErased: _erased,
}


def evolve(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """The contact's rows, by audience and client, after the event. A contact never registered has none."""
    if not rows and not isinstance(event, e.ContactRegistered):
        return rows
    return CASES[type(event)](rows, recorded, event)


PROJECTION: Final = Projection(
    name="contacts",
    version=1,
    events=tuple(CASES),
    ddl=DDL,
    indexes=INDEXES,
    fold=RowFold(
        tables=(
            Table(
                name="contacts",
                row=ContactRow,
                key=("audience_id", "client_id", "contact_id"),
                group="contact_id",
                place=attrgetter("audience_id", "client_id"),
            ),
        ),
        group_of=attrgetter("contact_id"),
        evolve=evolve,
        streams=(decider.kind,),
        reads=("contact_id",),
    ),
)
