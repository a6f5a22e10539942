"""Carries the rows of a member file into a recipient list, a chunk at a time, and says what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from domain import contact, recipient
from domain.import_row import Action
from domain.list_rows import ListRow
from domain.recipient import PutRecipient, Recipient, RemoveRecipient, key_of
from domain.reconciling import Wanted
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Refused

CHUNK: Final = 1_000
"""Rows that are carried out together."""
READ_AT_ONCE: Final = 5_000
ADDED: Final = "recipient.added@"
REMOVED: Final = "recipient.removed@"

Put = tuple[ListRow, Wanted, int]
"""A row, what it says, and the number of the contact that it says."""


class Earlier:
    """What an interrupted run did to places on the list, by their numbers, without telling.

    ``actions`` says what became of the row that named the place; ``removed`` are the places off the list since; none
    of that stands behind the position ``through``.
    """

    def __init__(self) -> None:
        self.through = 0
        self.actions: dict[int, Action] = {}
        self.removed: set[int] = set()

    def note(self, number: int, topic: str, position: int) -> None:
        """Take an event into account; they come in the order of the log."""
        self.through = position
        self.actions.setdefault(number, "created" if topic.startswith(ADDED) else "updated")
        if topic.startswith(REMOVED):
            self.removed.add(number)
        else:
            self.removed.discard(number)


class ListImporting:
    """One import into the list with that number. ``earlier`` is what is to be told besides."""

    def __init__(self, store: Store, context: Context, list_id: int, *, dry_run: bool, earlier: Earlier) -> None:
        self.position = 0
        self._store = store
        self._context = context
        self._list_id = list_id
        self._dry_run = dry_run
        self._earlier = earlier

    def carry_out(self, rows: Sequence[ListRow]) -> None:
        """Put the members of some rows on the list, and note in each what became of it.

        Raises what kept the log from answering, Unavailable most of all: some rows may be done then, and can be
        carried out again without harm.
        """
        said = [(row, row.member) for row in rows if row.member is not None]
        contacts = self._registered([member.email for _, member in said])
        places = [key_of(self._list_id, member.source_object_key) for _, member in said]
        puts: list[Put] = []
        moved = []
        for (row, member), place in zip(said, self._store.load(recipient.decider, keys=places), strict=True):
            before: Recipient = place.state
            contact_id = contacts[member.email]
            row.action = "updated" if before.active else "created"
            puts.append((row, member, contact_id))
            if before.active and before.contact_id != contact_id:
                moved.append((member.source_object_key, before.contact_id))
        self.take_off(moved)
        self._put(puts)

    def take_off(self, members: Sequence[tuple[str, int]]) -> int:
        """Take contacts from their places, named by source object keys; gives how many were there."""
        now = datetime.now(UTC)
        orders = [self._order(key, contact_id, RemoveRecipient(at=now)) for key, contact_id in members]
        if self._dry_run:
            return len(orders)
        return sum(bool(made.events) for made in self._handle(orders) if isinstance(made, Accepted))

    def _put(self, puts: Sequence[Put]) -> None:
        now = datetime.now(UTC)
        orders = []
        for row, member, number in puts:
            command = PutRecipient(
                at=now,
                list_id=self._list_id,
                contact_id=number,
                source_object_key=row.source_object_key,
                metadata=member.metadata,
            )
            orders.append(self._order(row.source_object_key, number, command))
        for (row, _, _), outcome in zip(puts, self._handle(orders), strict=True):
            if isinstance(outcome, Refused):
                row.action, row.errors = "invalid", outcome.error.fields
            elif outcome.number in self._earlier.actions:
                row.action = self._earlier.actions[outcome.number]
                self._earlier.removed.discard(outcome.number)
            elif not outcome.events:
                row.action = "unchanged"

    def _registered(self, emails: Sequence[str]) -> Mapping[str, int]:
        """The contacts of the addresses, made known to the organization; 0 for one that a dry run would make."""
        named = list(dict.fromkeys(emails))
        now, own = datetime.now(UTC), self._context.organization_id
        orders = [
            Order(
                decider=contact.decider,
                command=contact.RegisterContact(at=now, organization_id=own, email=email),
                context=self._context,
                key=email,
            )
            for email in named
        ]
        made = self._handle(orders)
        return {
            email: outcome.number if isinstance(outcome, Accepted) else 0
            for email, outcome in zip(named, made, strict=True)
        }

    def _order(self, source_object_key: str, contact_id: int, command: recipient.Command) -> Order:
        key = key_of(self._list_id, source_object_key)
        return Order(decider=recipient.decider, command=command, context=self._context, key=key, contact_id=contact_id)

    def _handle(self, orders: Sequence[Order]) -> list[Any]:
        outcomes = self._store.handle(*orders, dry_run=self._dry_run) if orders else []
        for outcome in outcomes:
            if isinstance(outcome, Failed):
                raise outcome.error
            if isinstance(outcome, Accepted):
                self.position = max(self.position, outcome.position)
        return outcomes


def told_by_the_log(store: Store, correlation_id: UUID, after: int) -> Earlier:
    """What an import has done to places behind a position. Raises the library's OperationalError."""
    earlier = Earlier()
    while events := store.read(after, READ_AT_ONCE):
        for event in events:
            if event.correlation_id == correlation_id and event.kind == recipient.decider.kind:
                earlier.note(event.stream.int & (1 << 96) - 1, event.topic, event.position)
        after = events[-1].position
    return earlier
