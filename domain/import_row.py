"""One row or item of an import on its way into the log, and how a contact decides on it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from domain import contact
from domain.contact import Contact, Suppressions, UpsertContact
from domain.decider import Decider, Event

Action = Literal["created", "updated", "unchanged", "skipped", "invalid"]


class ImportRow(msgspec.Struct, kw_only=True):
    """What was read, and after it was carried out what became of it.

    ``item`` counts the rows from 1, ``line`` is where the row starts in its file (None: it came as JSON). ``email`` is
    normalized when it is valid. ``said`` is None when ``errors`` hold. ``sets`` tells a file, whose flags only ever
    set something. ``kept_item`` is the item that brought the same address before. ``number`` is the contact's, 0 when
    it has none yet; ``existed`` tells whether the subscription was there before.
    """

    item: int
    email: str
    said: UpsertContact | None = None
    line: int | None = None
    errors: dict[str, str] | None = None
    sets: bool = False
    action: Action = "invalid"
    kept_item: int = 0
    number: int = 0
    existed: bool = False

    def refuse(self, errors: dict[str, str]) -> None:
        """Nothing comes of this row."""
        self.errors = errors
        self.action = "invalid"


def decide(state: Contact, row: ImportRow) -> tuple[Event, ...]:
    """Decide the row's upsert, and note whether the subscription was there. Raises what an upsert raises."""
    said = row.said
    if said is None:
        return ()
    row.existed = (said.audience_id, said.client_id) in state.subscriptions
    if row.sets and row.existed and (said.verified or said.suppressions):
        said = unsettled(state, said)
    return contact.decide(state, said)


def unsettled(state: Contact, said: UpsertContact) -> UpsertContact:
    """Leave out the flags that hold already, whoever set them: a file that was exported sets nothing anew."""
    flags = said.suppressions
    if flags is not None:
        flags = Suppressions(
            global_unsubscribed=flags.global_unsubscribed if not state.global_unsubscribes else None,
            hard_bounced=flags.hard_bounced if not state.hard_bounces else None,
            complained=flags.complained if not state.complaints else None,
        )
    verified = None if state.verified_at is not None else said.verified
    return replace(said, suppressions=flags, verified=verified)


decider: Final = Decider(
    kind=contact.decider.kind,
    name=contact.decider.name,
    initial=contact.decider.initial,
    decide=decide,
    evolve=contact.decider.evolve,
    snapshot_version=contact.decider.snapshot_version,
)
