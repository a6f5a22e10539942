"""Recipient lists and who stands on them, for clients, list sends and campaigns that are limited to a list."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import recipient_list
from domain.contact.events import ContactErased
from domain.decider import Event
from domain.recipient import RecipientAdded, RecipientRemoved, RecipientRevised
from domain.recipient_list import RecipientListDescribed, RecipientListOpened
from domain.store.recorded import Recorded
from projections.projection import Connection, Opened, Projection, RowFold, Rows, Table
from projections.single_row import number, row_per_stream

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS recipient_lists (
    list_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    key text NOT NULL, -- a path: who is on a list is on each list around it
    name text NOT NULL,
    description text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
-- A place on a list has a row for each contact that ever stood there, at most one of them not removed. An erasure
-- empties what the client said of the person.
CREATE TABLE IF NOT EXISTS recipients (
    recipient_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    list_id bigint NOT NULL,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    source_object_key text NOT NULL, -- how the client's own system knows the recipient
    metadata text NOT NULL, -- JSON
    added_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    removed_at timestamptz,
    PRIMARY KEY (recipient_id, contact_id)
);
"""
INDEXES: LiteralString = """
CREATE UNIQUE INDEX IF NOT EXISTS recipient_lists_key ON recipient_lists (client_id, key);
CREATE INDEX IF NOT EXISTS recipients_list ON recipients (list_id, recipient_id);
CREATE INDEX IF NOT EXISTS recipients_contact ON recipients (contact_id);
CREATE INDEX IF NOT EXISTS recipients_source ON recipients (client_id, source_object_key);
"""


class ListRow(msgspec.Struct, frozen=True):
    """What the columns of ``recipient_lists`` say."""

    list_id: int
    organization_id: int
    client_id: int
    key: str
    name: str
    description: str
    created_at: datetime
    updated_at: datetime


class RecipientRow(msgspec.Struct, frozen=True):
    """What the columns of ``recipients`` say."""

    recipient_id: int
    contact_id: int
    list_id: int
    organization_id: int
    client_id: int
    source_object_key: str
    metadata: str
    added_at: datetime
    updated_at: datetime
    removed_at: datetime | None = None


def evolve_list(row: ListRow | None, recorded: Recorded, event: Event) -> ListRow | None:
    """The list after the event."""
    if isinstance(event, RecipientListOpened):
        scope = (number(recorded), event.organization_id, event.client_id, event.key)
        return ListRow(*scope, event.content.name, event.content.description, event.at, event.at)
    if isinstance(event, RecipientListDescribed) and row is not None:
        said = event.content
        return replace(row, name=said.name, description=said.description, updated_at=event.at)
    return row


def evolve_recipients(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """A contact's places, by number, after the event."""
    if isinstance(event, ContactErased):
        own = event.organization_id
        return {place: scrubbed(row, event) if row.organization_id == own else row for place, row in rows.items()}
    place = number(recorded)
    row = rows.get(place)
    if isinstance(event, RecipientAdded):
        return {**rows, place: added(row, recorded, event)}
    if row is None:
        return rows
    if isinstance(event, RecipientRevised):
        said = {"source_object_key": event.source_object_key.text, "metadata": event.metadata.text}
        return {**rows, place: replace(row, **said, updated_at=event.at, removed_at=None)}
    if isinstance(event, RecipientRemoved):
        return {**rows, place: replace(row, updated_at=event.at, removed_at=event.at)}
    return rows


def added(row: RecipientRow | None, recorded: Recorded, event: RecipientAdded) -> RecipientRow:
    """The contact on the list, for the first time or again."""
    scope = (number(recorded), recorded.contact_id, event.list_id, recorded.organization_id, recorded.client_id)
    first = event.at if row is None else row.added_at
    return RecipientRow(*scope, event.source_object_key.text, event.metadata.text, first, event.at)


def scrubbed(row: RecipientRow, event: ContactErased) -> RecipientRow:
    """A place of which nothing personal is left."""
    return replace(row, source_object_key="", metadata="", removed_at=row.removed_at or event.at)


LISTS: Final = row_per_stream(
    table="recipient_lists", row=ListRow, key="list_id", kind=recipient_list.decider.kind, evolve=evolve_list
)
RECIPIENTS: Final = RowFold(
    tables=(
        Table(
            name="recipients",
            row=RecipientRow,
            key=("recipient_id", "contact_id"),
            group="contact_id",
            place=attrgetter("recipient_id"),
        ),
    ),
    group_of=attrgetter("contact_id"),
    evolve=evolve_recipients,
)


def fold(connection: Connection, events: Sequence[Opened], /) -> None:
    """Lists by their streams, recipients by their contacts."""
    kind = recipient_list.decider.kind
    for part, of_lists in ((LISTS, True), (RECIPIENTS, False)):
        if mine := [pair for pair in events if (pair[0].kind == kind) is of_lists]:
            part(connection, mine)


PROJECTION: Final = Projection(
    name="recipient_lists",
    version=1,
    events=(
        RecipientListOpened,
        RecipientListDescribed,
        RecipientAdded,
        RecipientRevised,
        RecipientRemoved,
        ContactErased,
    ),
    ddl=DDL,
    indexes=INDEXES,
    fold=fold,
)
