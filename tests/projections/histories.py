"""Logs that nobody thought of, and what the read models hold after them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import msgspec
import psycopg
from hypothesis import strategies as st

from consumers.session import Connection, read
from domain import audience, client, contact, organization
from domain.decider import Decider
from domain.store.log import Store
from domain.store.order import Order
from domain.store.recorded import Recorded
from projections.engine import Applied, Batch, apply
from projections.projection import Projection
from projections.schema import SCHEMA, read_models
from tests.domain.contact.test_laws import a_command
from tests.projections.list_histories import (
    a_list_order,
    a_list_sends_course,
    a_members_course,
    an_import_jobs_course,
    an_import_taken_back,
    settled,
)
from tests.projections.mail_histories import (
    PEOPLE,
    a_campaigns_course,
    a_messages_course,
    a_template_order,
    context,
)
from tests.projections.webhook_histories import a_webhooks_course

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
EVERYTHING = 1_000_000

names = st.sampled_from(["One", "Two", "Three"])
slugs = st.sampled_from(["a", "b"])
TENANCY: list[tuple[Decider[Any], type]] = [
    (organization.decider, organization.CreateOrganization),
    (organization.decider, organization.RenameOrganization),
    (audience.decider, audience.CreateAudience),
    (audience.decider, audience.RenameAudience),
    (client.decider, client.CreateClient),
    (client.decider, client.RenameClient),
    (client.decider, client.ActivateClient),
    (client.decider, client.DeactivateClient),
    (client.decider, client.IssueApiKey),
    (client.decider, client.RevokeApiKey),
]


@st.composite
def a_tenancy_order(draw: st.DrawFn) -> Order:
    decider, kind = draw(st.sampled_from(TENANCY))
    slug = draw(slugs)
    said: dict[str, Any] = {"at": NOON, "organization_id": 1, "slug": slug, "name": draw(names)}
    public_id = f"{slug}{draw(st.integers(1, 2))}"
    said |= {"public_id": public_id, "key_hash": "0" * 64, "notes": draw(st.sampled_from(["", "for tests"]))}
    command = kind(**{name: said[name] for name in kind.__struct_fields__ if name in said})
    return Order(decider=decider, key=f"1/{slug}", context=context(0, 0), command=command)


@st.composite
def a_contact_order(draw: st.DrawFn) -> Order:
    command, email = draw(a_command()), draw(st.sampled_from(PEOPLE))
    if hasattr(command, "email"):
        command = msgspec.structs.replace(command, email=email)
    whose = context(command.organization_id, getattr(command, "client_id", 0))
    return Order(decider=contact.decider, key=email, context=whose, command=command)


alone = (a_contact_order() | a_tenancy_order()).map(lambda order: [order])
courses = a_template_order() | a_campaigns_course() | a_messages_course() | a_webhooks_course()
lists = a_list_order() | a_members_course() | a_list_sends_course() | an_import_jobs_course() | an_import_taken_back()
orders = st.lists(alone | alone | courses | lists, min_size=1, max_size=25).map(
    lambda parts: [*chain.from_iterable(parts)]
)


def clear(connection: Connection) -> None:
    """Empty the log and all that came of it."""
    own = [table for each in read_models() for table in each.tables]
    store = ["log", "identities", "keyring", "suppression_hashes", "snapshots"]
    tables = [*store, "checkpoints", "relay", "relay_partitions", *own]
    connection.execute(";".join(f"DELETE FROM {table}" for table in tables))


def put(store: Store, connection: Connection, history: Sequence[Order], after: int = 0) -> list[Recorded]:
    """Handle the orders one by one; gives the log above the position."""
    for order in history:
        for each in settled(store, order):
            store.handle(each)
    return read(connection, after, EVERYTHING)


def begin(connection: Connection, projection: Projection, partitions: int = 1) -> None:
    """Checkpoints at the log's beginning."""
    connection.execute(
        "INSERT INTO checkpoints (projection, partition, partitions, position) "
        "SELECT %s, p, %s, 0 FROM generate_series(0, %s - 1) AS p",
        (projection.name, partitions, partitions),
    )


def deliver(
    connection: Connection, store: Store, projection: Projection, events: Sequence[Recorded], prev: int = 0
) -> Applied:
    """Apply events that follow the position, as one batch of an undivided log."""
    through = events[-1].position if events else prev
    return apply(connection, store.unsealer, projection, [Batch(0, prev, events, through)], partitions=1)


def rows(connection: Connection, *projections: Projection) -> dict[str, list[tuple[Any, ...]]]:
    """All that the read models hold."""
    tables = [name for projection in projections for name in projection.tables]
    return {name: sorted(connection.execute(f"SELECT t::text FROM {name} t")) for name in tables}


def replayed(conninfo: str, store: Store, *projections: Projection) -> dict[str, list[tuple[Any, ...]]]:
    """What the read models hold after the whole log in one batch, in tables of their own beside the live ones."""
    with psycopg.connect(conninfo, autocommit=True) as connection:
        events = read(connection, 0, EVERYTHING)
        connection.execute("CREATE SCHEMA replay")
        try:
            connection.execute("SET search_path = replay")
            connection.execute(SCHEMA.read_bytes())
            for projection in projections:
                connection.execute(projection.ddl)
                connection.execute(projection.indexes)
                begin(connection, projection)
            connection.execute("SET search_path = replay, public")
            for projection in projections:
                assert deliver(connection, store, projection, events) == Applied()
            return rows(connection, *projections)
        finally:
            connection.execute("DROP SCHEMA replay CASCADE")
