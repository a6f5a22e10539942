"""The webhooks of every client, and for which stretches of the log each wants which events.

The stretches let whoever hands events out ask, for any event however long ago: which webhooks wanted it then?
"""

from __future__ import annotations

from datetime import datetime
from operator import attrgetter
from typing import Any, Final, LiteralString

import msgspec
from msgspec.structs import replace

from domain import webhook
from domain.decider import Event
from domain.store.recorded import Recorded
from domain.webhook import (
    WebhookCreated,
    WebhookDeleted,
    WebhookRevised,
    WebhookSecretRotated,
    WebhookSwitchedOff,
    WebhookSwitchedOn,
)
from projections.projection import Projection, RowFold, Rows, Table
from projections.single_row import ONLY, number, only

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS webhooks (
    webhook_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    key text NOT NULL,
    url text NOT NULL,
    types text[] NOT NULL, -- of events; empty: all
    description text NOT NULL,
    off text, -- client or gone, when it is switched off
    deleted boolean NOT NULL,
    since bigint NOT NULL, -- the log position at which it was made; nothing before it is delivered
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
-- Events above "since" and below "until" (the log's end without it) are wanted.
CREATE TABLE IF NOT EXISTS webhook_stretches (
    webhook_id bigint NOT NULL,
    since bigint NOT NULL,
    until bigint,
    client_id bigint NOT NULL,
    types text[] NOT NULL,
    PRIMARY KEY (webhook_id, since)
);
"""
INDEXES: LiteralString = """
CREATE INDEX IF NOT EXISTS webhooks_client ON webhooks (client_id, key);
CREATE INDEX IF NOT EXISTS webhook_stretches_client ON webhook_stretches (client_id, since);
"""


class WebhookRow(msgspec.Struct, frozen=True):
    """What the table's columns say."""

    webhook_id: int
    organization_id: int
    client_id: int
    key: str
    url: str
    types: list[str]
    description: str
    off: str | None
    deleted: bool
    since: int
    created_at: datetime
    updated_at: datetime


class StretchRow(msgspec.Struct, frozen=True):
    """Positions of the log between which events are wanted; without ``until`` they still are."""

    webhook_id: int
    since: int
    until: int | None
    client_id: int
    types: list[str]


def evolve(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """The webhook and its stretches after the event."""
    if isinstance(event, WebhookCreated):
        return _opened(_made(rows, recorded, event), recorded.position)
    row: WebhookRow | None = rows.get(ONLY)
    if row is None:
        return rows
    match event:
        case WebhookRevised(at=at, url=url, types=types, description=description):
            row = replace(row, url=url, types=list(types), description=description, updated_at=at)
            after: Rows = {**rows, ONLY: row}
            return after if row.off else _opened(_closed(after, recorded.position), recorded.position)
        case WebhookSwitchedOn(at=at):
            return _opened({**rows, ONLY: replace(row, off=None, updated_at=at)}, recorded.position)
        case WebhookSwitchedOff(at=at, reason=reason):
            return _closed({**rows, ONLY: replace(row, off=reason, updated_at=at)}, recorded.position)
        case WebhookDeleted(at=at):
            return _closed({**rows, ONLY: replace(row, deleted=True, updated_at=at)}, recorded.position)
        case WebhookSecretRotated(at=at):
            return {**rows, ONLY: replace(row, updated_at=at)}
    return rows


def _made(rows: Rows, recorded: Recorded, event: WebhookCreated) -> Rows:
    row = WebhookRow(
        webhook_id=number(recorded),
        organization_id=event.organization_id,
        client_id=event.client_id,
        key=event.key,
        url=event.url,
        types=list(event.types),
        description=event.description,
        off=None,
        deleted=False,
        since=recorded.position,
        created_at=event.at,
        updated_at=event.at,
    )
    return {**rows, ONLY: row}


def _opened(rows: Rows, position: int) -> Rows:
    row = rows[ONLY]
    return {**rows, position: StretchRow(row.webhook_id, position, None, row.client_id, row.types)}


def _closed(rows: Rows, position: int) -> Rows:
    open_ones = {since: row for since, row in rows.items() if since != ONLY and row.until is None}
    return {**rows, **{since: replace(row, until=position) for since, row in open_ones.items()}}


def _fold() -> RowFold:
    since: Any = attrgetter("since")
    return RowFold(
        tables=(
            Table(name="webhooks", row=WebhookRow, key=("webhook_id",), group="webhook_id", place=only),
            Table(
                name="webhook_stretches",
                row=StretchRow,
                key=("webhook_id", "since"),
                group="webhook_id",
                place=since,
            ),
        ),
        group_of=number,
        evolve=evolve,
        streams=(webhook.decider.kind,),
        reads=("stream", "position"),
    )


PROJECTION: Final = Projection(
    name="webhooks",
    version=1,
    events=(
        WebhookCreated,
        WebhookRevised,
        WebhookSwitchedOn,
        WebhookSwitchedOff,
        WebhookSecretRotated,
        WebhookDeleted,
    ),
    ddl=DDL,
    indexes=INDEXES,
    fold=_fold(),
)
