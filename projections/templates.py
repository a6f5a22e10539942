"""The templates of every client, for operators and analysts. What they say stays in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import template
from domain.store.recorded import Recorded
from domain.template import TemplateCreated, TemplateRevised
from projections.projection import Projection
from projections.single_row import number, row_per_stream

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS templates (
    template_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    key text NOT NULL,
    name text NOT NULL,
    description text NOT NULL,
    subject text NOT NULL, -- as it is written, before anything is filled in
    default_sender_id text NOT NULL,
    is_active boolean NOT NULL,
    retry_unconfirmed boolean NOT NULL,
    version bigint NOT NULL, -- of what it says, from 1
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
"""
INDEXES: LiteralString = "CREATE UNIQUE INDEX IF NOT EXISTS templates_key ON templates (client_id, key);"


class TemplateRow(msgspec.Struct, frozen=True):
    """What the table's columns say."""

    template_id: int
    organization_id: int
    client_id: int
    key: str
    name: str
    description: str
    subject: str
    default_sender_id: str
    is_active: bool
    retry_unconfirmed: bool
    version: int
    created_at: datetime
    updated_at: datetime


SAID: Final = ("name", "description", "subject", "default_sender_id", "is_active", "retry_unconfirmed")
"""What is shown of a template's content."""


def evolve(row: TemplateRow | None, recorded: Recorded, event: TemplateCreated | TemplateRevised) -> TemplateRow | None:
    """The template after the event."""
    said = {name: getattr(event.content, name) for name in SAID}
    if isinstance(event, TemplateCreated):
        return TemplateRow(
            template_id=number(recorded),
            organization_id=event.organization_id,
            client_id=event.client_id,
            key=event.key,
            version=1,
            created_at=event.at,
            updated_at=event.at,
            **said,
        )
    return None if row is None else replace(row, version=row.version + 1, updated_at=event.at, **said)


PROJECTION: Final = Projection(
    name="templates",
    version=1,
    events=(TemplateCreated, TemplateRevised),
    ddl=DDL,
    indexes=INDEXES,
    fold=row_per_stream(
        table="templates", row=TemplateRow, key="template_id", kind=template.decider.kind, evolve=evolve
    ),
)
