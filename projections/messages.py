"""Transactional messages and what became of them, for histories and analysts. What they say stays in the log."""

from __future__ import annotations

from typing import Final, LiteralString

from msgspec.structs import replace

from domain import message
from domain.decider import Event
from domain.message.events import MessageRequested, MessageSent
from domain.store.recorded import Recorded
from projections.mail_facts import TOLD, UNHEARD_OF, MailFacts, MailProjection, told
from projections.single_row import number, row_per_stream

DDL: LiteralString = """
-- One row for each message. Neither addresses nor what it says, nor the keys that the client gave it, are here.
CREATE TABLE IF NOT EXISTS messages (
    message_id bigint PRIMARY KEY,
    organization_id bigint NOT NULL,
    client_id bigint NOT NULL,
    contact_id bigint NOT NULL,
    audience_id bigint NOT NULL, -- of its category; 0: none
    campaign_id bigint NOT NULL, -- the campaign that it tries out; 0: none
    template_key text NOT NULL,
    template_version bigint NOT NULL,
    category_tag text NOT NULL,
    sender_id text NOT NULL,
    requested_at timestamptz NOT NULL,
    sent_at timestamptz, -- SES has the mail; times are the first of their kind
    delivered_at timestamptz,
    bounced_at timestamptz,
    complained_at timestamptz,
    first_opened_at timestamptz,
    first_clicked_at timestamptz,
    unsubscribed_at timestamptz, -- took the mail's way out
    open_count integer NOT NULL,
    click_count integer NOT NULL,
    status text NOT NULL, -- queued, sending, unconfirmed, sent, failed or skipped
    skip_reason text,
    last_error text NOT NULL, -- a code
    ses_message_id text NOT NULL
) WITH (fillfactor = 60, autovacuum_vacuum_scale_factor = 0.05);
"""


class MessageRow(MailFacts, frozen=True):
    """What the table's comments say."""

    message_id: int
    organization_id: int
    client_id: int
    contact_id: int
    audience_id: int
    campaign_id: int
    template_key: str
    template_version: int
    category_tag: str
    sender_id: str
    ses_message_id: str


TAKEN: Final = tuple(name for name in MessageRow.__struct_fields__ if name in MessageRequested.__struct_fields__)
"""What a row has from the request."""


def evolve(row: MessageRow | None, recorded: Recorded, event: Event) -> MessageRow | None:
    """The message after the event."""
    if isinstance(event, MessageRequested):
        return MessageRow(
            message_id=number(recorded),
            status="queued",
            skip_reason=None,
            requested_at=event.at,
            ses_message_id="",
            **{name: getattr(event, name) for name in TAKEN},
            **UNHEARD_OF,
        )
    if row is None:
        return None
    after = told(row, event)
    return replace(after, ses_message_id=event.ses_message_id) if isinstance(event, MessageSent) else after


PROJECTION: Final = MailProjection(
    name="messages",
    version=1,
    kinds=(message.transactional.kind,),
    events=(MessageRequested, *TOLD),
    ddl=DDL,
    indexes="",
    fold=row_per_stream(
        table="messages", row=MessageRow, key="message_id", kind=message.transactional.kind, evolve=evolve
    ),
)
