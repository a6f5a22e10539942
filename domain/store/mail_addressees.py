"""Whom an event of SES names: the message's own recipient, and others who got a copy, as far as they are contacts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from domain import contact
from domain.contact import Contact
from domain.mail_event import Concerned, MailEvent
from domain.store import arrays
from domain.store.log import Store
from domain.store.mail_owners import Owner

IDENTITIES: Final = "SELECT key, number FROM identities WHERE kind = 4 AND key = ANY(%b)"


class Addressees(NamedTuple):
    """Whom an event concerns, and the contacts that must not be written to again if it suppresses."""

    concerned: Concerned
    contacts: tuple[int, ...] = ()


def identified(store: Store, hashes: Sequence[UUID]) -> dict[UUID, int]:
    """The contacts that the hashes of addresses name. Raises the library's OperationalError."""
    if not hashes:
        return {}
    with store.recorder.datastore.get_connection() as connection:
        cursor = store.recorder.cursor(connection).execute(IDENTITIES, (arrays.uuids(hashes),), prepare=True)
        return dict(cursor.fetchall())


def is_gone(person: Contact) -> bool:
    """Whether the contact was erased for good, so that nobody knows any more which address was its own."""
    return person.email is None


def addressees(
    event: MailEvent, owner: Owner, numbers: Sequence[int | None], contacts: Mapping[int, Contact]
) -> Addressees:
    """Read whom the event names; ``numbers`` are the contacts of the addresses, None for one that is nobody's.

    What names nobody, as an opening does, is the recipient's; so is what comes after the recipient's erasure. A bounce
    is a fact about the address: whoever of our contacts has it is not written to again, for all send through one
    account, whose standing suffers. A complaint that names several says only that it came from one of them (SES,
    contents of a complaint): of these none but the recipient is taken for the one who complained.
    """
    own = owner.contact_id in numbers
    gone = not own and is_gone(contacts.get(owner.contact_id, contact.Contact()))
    concerned = Concerned(
        recipient=own or gone or not numbers,
        copies=not gone and any(number != owner.contact_id for number in numbers),
    )
    known = tuple(dict.fromkeys(number for number in numbers if number is not None))
    if event.kind == "Complaint" and len(numbers) > 1:
        known = (owner.contact_id,) if own else ()
    return Addressees(concerned, known)
