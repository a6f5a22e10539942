"""One row or item of an import on its way into the log, and how a contact decides on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec
from msgspec.structs import replace

from domain import contact
from domain.contact import Contact, Suppressions, UpsertContact
from domain.decider import Decider, Event
from domain.import_job import Counts

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

    def note(self, state: Contact) -> None:
        """See whether the contact had the subscription before this row."""
        self.existed = self.said is not None and (self.said.audience_id, self.said.client_id) in state.subscriptions

    def refuse(self, errors: dict[str, str]) -> None:
        """Nothing comes of this row."""
        self.errors = errors
        self.action = "invalid"


def decide(state: Contact, row: ImportRow) -> tuple[Event, ...]:
    """Decide the row's upsert, and note whether the subscription was there. Raises what an upsert raises."""
    said = row.said
    if said is None:
        return ()
    row.note(state)
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


def counted(rows: Iterable[ImportRow]) -> Counts:
    """The counts of some rows."""
    numbers: dict[str, int] = {}
    for row in rows:
        numbers[row.action] = numbers.get(row.action, 0) + 1
    return Counts(total=sum(numbers.values()), **numbers)


decider: Final = Decider(
    kind=contact.decider.kind,
    name=contact.decider.name,
    initial=contact.decider.initial,
    decide=decide,
    evolve=contact.decider.evolve,
    snapshot_version=contact.decider.snapshot_version,
    remembered=contact.decider.remembered,
)
