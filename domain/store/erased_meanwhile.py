"""Keeps an import that was queued before an erasure from bringing the person back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar
from uuid import UUID

from domain import contact
from domain.import_row import ImportRow
from domain.list_rows import ListRow
from domain.store.history import read_stream
from domain.store.log import Store
from domain.store.mail_addressees import identified
from domain.store.order import Context, Failed, Order

ERASED: Final = """
SELECT key FROM erased_meanwhile
WHERE organization_id = %b AND erased_at >= (SELECT created_at FROM import_uploads WHERE upload = %b)
"""
OTHERS: Final = frozenset({"api", "import", "person", "operator"})
"""Where a relation can come from that is not of the file."""
LOOK_EVERY: Final = 500
"""Rows that are read between looks at who was erased."""


class Row(Protocol):
    """A row of a file."""

    errors: dict[str, str] | None


AnyRow = TypeVar("AnyRow", bound=Row)


class ErasedMeanwhile:
    """Whom the organization erased since the file came. Its methods raise what a lost database raises."""

    def __init__(self, store: Store, upload: UUID, context: Context) -> None:
        self._store = store
        self._upload = upload
        self._context = context

    def keys(self) -> frozenset[UUID]:
        """The hashes of their addresses."""
        with self._store.recorder.datastore.get_connection() as connection:
            cursor = self._store.recorder.cursor(connection)
            rows = cursor.execute(ERASED, (self._context.organization_id, self._upload), prepare=True).fetchall()
        return frozenset(key for (key,) in rows)

    def left_out(self, rows: Iterator[AnyRow]) -> Iterator[AnyRow]:
        """The rows; those that name one of them are refused, ``forbidden`` on ``email``."""
        keys: frozenset[UUID] = frozenset()
        for place, row in enumerate(rows):
            if place % LOOK_EVERY == 0:
                keys = self.keys()
            if keys and row.errors is None and self._hash(row) in keys:
                refuse(row)
            yield row

    def _hash(self, row: Row) -> UUID:
        return self._store.keyring.digest(contact.decider.name, email_of(row))

    def erase_again(self) -> None:
        """Erase those whom rows brought back that were on their way when the erasure came.

        Who came back otherwise stays: the file is older than that.
        """
        for number in identified(self._store, list(self.keys())).values():
            if self._is_the_file_s(number):
                command = contact.EraseContact(at=datetime.now(UTC), organization_id=self._context.organization_id)
                order = Order(decider=contact.decider, command=command, context=self._context, number=number)
                [outcome] = self._store.handle(order)
                if isinstance(outcome, Failed):
                    raise outcome.error

    def _is_the_file_s(self, number: int) -> bool:
        """Whether all that the organization has with the contact came of the file."""
        own = self._context.organization_id
        state, sources = contact.Contact(), set[bool]()
        for recorded, event in read_stream(self._store, contact.decider.kind, number).events:
            state = contact.evolve(state, event)
            if recorded.organization_id != own:
                continue
            if isinstance(event, contact.ContactErased):
                sources.clear()
            elif recorded.source in OTHERS:
                sources.add(recorded.correlation_id == self._upload)
        return own in state.organizations and sources == {True}


def email_of(row: Row) -> str:
    """The address that a valid row names."""
    if isinstance(row, ListRow):
        return row.member.email if row.member is not None else ""
    return row.email if isinstance(row, ImportRow) else ""


def refuse(row: Row) -> None:
    """Let nothing come of a row."""
    row.errors = {"email": "forbidden"}
    if isinstance(row, ListRow):
        row.member = None
