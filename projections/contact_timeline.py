"""What happened to each contact and to the mail for it, one row an event, without anybody's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import message
from domain.contact import disclosure
from domain.contact import events as c
from domain.decider import EVENT_TYPES, Event
from domain.message import events as m
from domain.store import arrays
from domain.store.recorded import Recorded
from projections.projection import Connection, Opened, Projection

DDL: LiteralString = """
-- One row for each event. Audience and client are the scope that it is about, 0 where there is none; mail has the
-- client whose it is. An erasure takes the organization's rows; facts that concern the contact everywhere stay as
-- nobody's.
CREATE TABLE IF NOT EXISTS contact_timeline (
    contact_id bigint NOT NULL,
    position bigint NOT NULL, -- of the event in the log
    at timestamptz NOT NULL,
    organization_id bigint NOT NULL, -- in whose name it was recorded
    audience_id bigint NOT NULL,
    client_id bigint NOT NULL,
    campaign_id bigint, -- of a campaign's mail
    message_id bigint, -- of a transactional mail
    type text NOT NULL, -- the event's name in the log
    source text NOT NULL, -- where it came from: api, import, person, ses and so on
    details jsonb, -- a few fields of the event that are nobody's words
    PRIMARY KEY (contact_id, position)
) WITH (autovacuum_vacuum_insert_scale_factor = 0.05);
"""
INSERT: LiteralString = """
INSERT INTO contact_timeline (
    contact_id, position, at, organization_id, audience_id, client_id, campaign_id, message_id, type, source, details)
SELECT contact_id, position, at, organization_id, audience_id, client_id, campaign_id, message_id, type, source,
    nullif(details, '')::jsonb
FROM unnest(%b, %b, %b, %b, %b, %b, %b, %b, %b, %b, %b) AS e (
    contact_id, position, at, organization_id, audience_id, client_id, campaign_id, message_id, type, source, details)
"""
FORGET: LiteralString = "DELETE FROM contact_timeline WHERE contact_id = ANY(%b)"
ERASE: LiteralString = """
WITH erased AS (
    SELECT * FROM unnest(%b, %b) AS e (contact_id, organization_id)
), kept AS (
    UPDATE contact_timeline t SET organization_id = 0, source = '' FROM erased e
    WHERE t.contact_id = e.contact_id AND t.organization_id = e.organization_id AND t.audience_id = 0
        AND t.type = ANY(%b)
)
DELETE FROM contact_timeline t USING erased e
WHERE t.contact_id = e.contact_id AND t.organization_id = e.organization_id
    AND NOT (t.audience_id = 0 AND t.type = ANY(%b))
"""

DETAILS: Final[Mapping[type[Event], tuple[str, ...]]] = {
    c.ContactRegistered: (),
    c.ContactAddressed: (),
    c.ContactAwaitingConfirmation: ("verified_at",),
    c.ContactSubscribed: ("verified_at",),
    c.ContactResubscribed: ("verified_at",),
    c.ContactUnsubscribed: (),
    c.ContactSubscriptionWithdrawn: (),
    c.ContactSubscriptionRestored: ("status", "verified_at"),
    c.ContactUnsubscribeExplained: (),
    c.ContactGloballyUnsubscribed: (),
    c.ContactGlobalUnsubscribeLifted: (),
    c.ContactHardBounced: (),
    c.ContactHardBounceLifted: (),
    c.ContactComplained: (),
    c.ContactComplaintLifted: (),
    c.ContactVerified: ("verified_at",),
    c.ContactVerificationWithdrawn: (),
    c.ContactEmailValidated: ("status", "validated_at"),
    c.ContactTagged: ("tags",),
    c.ContactUntagged: ("slugs",),
    c.ContactCategoryEnabled: ("tag",),
    c.ContactCategoryDisabled: ("tag",),
    m.MessageRequested: ("template_key", "category_tag"),
    m.CampaignMessageRequested: (),
    m.MessageSkipped: ("reason",),
    m.MessageSent: (),
    m.MessageFailed: ("code",),
    m.MessageUnconfirmed: (),
    m.MessageDelivered: (),
    m.MessageDeliveryDelayed: ("delay_type",),
    m.MessageBounced: ("bounce_type", "bounce_subtype"),
    m.MessageComplained: ("feedback_type",),
    m.MessageRejected: (),
    m.MessageRenderingFailed: (),
    m.MessageOpened: (),
    m.MessageClicked: ("link",),
    m.MessageUnsubscribed: ("scope",),
}
"""The events that are shown, and the fields that are shown of them. Attempts and releases are the ledger's own."""

EVERYWHERE: Final = tuple(
    EVENT_TYPES[cls].name for cls in (*disclosure.SHARED, c.ContactVerified, c.ContactVerificationWithdrawn)
)
"""Facts that concern the contact everywhere, where they are of no audience; see ``domain.contact.disclosure``."""


class Entry(msgspec.Struct, frozen=True):
    """A row; what the table's comments say. ``details`` is JSON, or empty."""

    contact_id: int
    position: int
    at: datetime
    organization_id: int
    audience_id: int
    client_id: int
    campaign_id: int | None
    message_id: int | None
    type: str
    source: str
    details: str = ""

    @property
    def everywhere(self) -> bool:
        """Whether it concerns the contact everywhere."""
        return self.audience_id == 0 and self.type in EVERYWHERE


def entry(recorded: Recorded, event: Event) -> Entry:
    """What is shown of an event that is one of :data:`DETAILS`."""
    kind = recorded.kind
    of_contact = kind not in (message.of_campaign.kind, message.transactional.kind)
    return Entry(
        contact_id=recorded.contact_id,
        position=recorded.position,
        at=event.at,
        organization_id=recorded.organization_id,
        audience_id=getattr(event, "audience_id", 0),
        client_id=getattr(event, "client_id", 0) if of_contact else recorded.client_id,
        campaign_id=message.campaign_and_contact(recorded.stream)[0] if kind == message.of_campaign.kind else None,
        message_id=recorded.stream.int & NUMBER if kind == message.transactional.kind else None,
        type=EVENT_TYPES[type(event)].name,
        source=recorded.source,
        details=details(event),
    )


NUMBER: Final = (1 << 96) - 1


def details(event: Event) -> str:
    """The shown fields that say something, as JSON; empty without any."""
    said = {}
    for name in DETAILS[type(event)]:
        value = getattr(event, name)
        if value is not None and value != "":
            said[name] = value
    return msgspec.json.encode(said).decode() if said else ""


def fold(connection: Connection, events: Sequence[Opened], /) -> None:
    """Rows of a batch come in one statement; what an erasure takes is taken from both the table and the batch."""
    entries: dict[int, list[Entry]] = {}
    erasures: list[tuple[int, int]] = []
    forgotten: list[int] = []
    for recorded, event in events:
        contact_id = recorded.contact_id
        if isinstance(event, c.ContactErased):
            entries[contact_id] = [] if event.last else without(entries.get(contact_id, []), event.organization_id)
            erasures.append((contact_id, event.organization_id))
            if event.last:
                forgotten.append(contact_id)
        else:
            entries.setdefault(contact_id, []).append(entry(recorded, event))
    arrays.register(connection)
    if erasures:
        connection.execute(FORGET, (arrays.bigints(forgotten),), prepare=True)
        everywhere = arrays.texts(EVERYWHERE)
        erased = [arrays.bigints(column) for column in zip(*erasures, strict=True)]
        connection.execute(ERASE, (*erased, everywhere, everywhere), prepare=True)
    insert(connection, [each for own in entries.values() for each in own])


def without(entries: Iterable[Entry], organization_id: int) -> list[Entry]:
    """What an erasure for the organization leaves."""
    left: list[Entry] = []
    for each in entries:
        if each.organization_id != organization_id:
            left.append(each)
        elif each.everywhere:
            left.append(replace(each, organization_id=0, source=""))
    return left


def insert(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write rows in one statement."""
    if entries:
        columns = zip(*map(msgspec.structs.astuple, entries), strict=True)
        binary = [write(column) for write, column in zip(WRITERS, columns, strict=True)]
        connection.execute(INSERT, binary, prepare=True)


NUMBERS: Final = arrays.bigints
WRITERS: Final[tuple[Any, ...]] = (
    *(NUMBERS, NUMBERS, arrays.times),
    *(NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS),
    *(arrays.texts, arrays.texts, arrays.texts),
)
"""How each column of :data:`INSERT` is written."""

PROJECTION: Final = Projection(
    name="contact_timeline",
    version=1,
    events=(*DETAILS, c.ContactErased),
    ddl=DDL,
    indexes="",
    fold=fold,
)
