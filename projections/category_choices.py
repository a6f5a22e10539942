"""What contacts chose about mail of a category, for the planner; reachability itself stands in ``contacts``.

The two together are what the design calls subscribers: a copy of the contacts' flags would cost every contact event a
second write.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Final, LiteralString

import msgspec

from domain.contact import decider
from domain.contact.events import ContactCategoryDisabled, ContactCategoryEnabled, ContactErased
from domain.decider import Event
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows, Table

DDL: LiteralString = """
CREATE TABLE IF NOT EXISTS category_choices (
    audience_id bigint NOT NULL,
    client_id bigint NOT NULL,
    tag text NOT NULL,
    contact_id bigint NOT NULL,
    label text NOT NULL,
    enabled boolean NOT NULL,
    PRIMARY KEY (audience_id, client_id, tag, contact_id)
);
"""
INDEXES: LiteralString = "CREATE INDEX IF NOT EXISTS category_choices_contact ON category_choices (contact_id);"


class CategoryChoice(msgspec.Struct, frozen=True):
    """A choice that was made; a category without one is enabled."""

    audience_id: int
    client_id: int
    tag: str
    contact_id: int
    label: str
    enabled: bool


Chosen = ContactCategoryEnabled | ContactCategoryDisabled


def evolve(rows: Rows, recorded: Recorded, event: Event) -> Rows:
    """A contact's choices by audience, client and tag, after the event."""
    if isinstance(event, ContactErased):
        return {place: row for place, row in rows.items() if place[0] not in event.audience_ids and not event.last}
    if isinstance(event, Chosen):
        enabled = isinstance(event, ContactCategoryEnabled)
        place = (event.audience_id, event.client_id, event.tag)
        return {**rows, place: CategoryChoice(*place, recorded.contact_id, event.label, enabled)}
    return rows


PROJECTION: Final = Projection(
    name="category_choices",
    version=1,
    events=(ContactCategoryEnabled, ContactCategoryDisabled, ContactErased),
    ddl=DDL,
    indexes=INDEXES,
    fold=RowFold(
        tables=(
            Table(
                name="category_choices",
                row=CategoryChoice,
                key=("audience_id", "client_id", "tag", "contact_id"),
                group="contact_id",
                place=attrgetter("audience_id", "client_id", "tag"),
            ),
        ),
        group_of=attrgetter("contact_id"),
        evolve=evolve,
        streams=(decider.kind,),
        reads=("contact_id",),
    ),
)
