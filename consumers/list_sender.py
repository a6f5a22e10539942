"""Carries sends to long recipient lists out, a chunk of members of each in turn, so that none waits for another."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Final
from uuid import UUID

import msgspec

from consumers.leading import look_while_leading
from consumers.session import Connection
from domain import contact, list_send, template
from domain.contact import Contact
from domain.list_send import FinishListSend, ListSend, RecordSends, Unsent
from domain.store.list_sending import ListSending, Target, counted, opened
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order
from projections.checkpoint import is_caught_up
from projections.recipient_lists import PROJECTION
from projections.recipient_members import Member, members_until

NAME: Final = "datamailer.list_sender"
CHUNK: Final = 500
"""Members that are written to at once."""
RUNNING: Final = "SELECT send_id FROM list_sends WHERE status = 'running' ORDER BY send_id"
REQUESTED_AT: Final = """
SELECT max(notification_id) FROM log WHERE originator_id = %s AND topic LIKE 'list_send.requested@%%'
"""

log = logging.getLogger(__name__)


class ListSender:
    """One at a time sends; the others wait to take over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def session(self, stop: Flag) -> None:
        """Carry out until stopped. Raises what a lost database raises: the next session goes on where this one was."""
        look_while_leading(self._store.conninfo, NAME, self.look, stop)

    def look(self, connection: Connection, stop: Flag) -> None:
        """Carry out what is on its way, as far as the read model goes. Raises Unavailable, Contended."""
        waiting = [int(number) for (number,) in connection.execute(RUNNING).fetchall()]
        while waiting and not stop.is_set():
            waiting = [number for number in waiting if not stop.is_set() and self._go_on(connection, number)]

    def _go_on(self, connection: Connection, number: int) -> bool:
        """Write to the next members of a send. Gives whether there is more to do now."""
        [loaded] = self._store.load(list_send.decider, numbers=[number])
        state: ListSend = loaded.state
        row = connection.execute(REQUESTED_AT, (UUID(int=list_send.decider.kind << 96 | number),)).fetchone()
        position = int(row[0]) if row and row[0] else 0
        if state.status != "running" or not is_caught_up(connection, PROJECTION.name, position):
            return False
        members = members_until(
            connection, state.client_id, state.list_key, through=state.through, after=state.after, limit=CHUNK
        )
        if members:
            return self._tell(number, state, self._sent(state, position, members))
        self._tell(number, state, FinishListSend(at=datetime.now(UTC)))
        log.info("list send finished", extra={"send_id": number, **msgspec.structs.asdict(state.counts)})
        return False

    def _sent(self, state: ListSend, position: int, members: list[Member]) -> RecordSends:
        """Have the messages, from the template as it was when the send was requested."""
        mailing = opened(self._store.keyring, state.mailing)
        key = template.natural_key(state.client_id, mailing.template_key)
        [kept] = self._store.load(template.decider, keys=[key], as_of=position)
        at = state.requested_at or datetime.now(UTC)
        sending = ListSending(self._store, context_of(state, position), mailing, kept.state, at)
        people = self._people(members)
        sent = sending.send([target(member, people[member.contact_id]) for member in members])
        errors = tuple(Unsent(each.target.recipient_id, dict(each.errors)) for each in sent if each.errors)
        return RecordSends(
            at=datetime.now(UTC),
            done=state.after,
            after=members[-1].recipient_id,
            counts=counted(sent, at=at),
            errors=errors,
        )

    def _people(self, members: list[Member]) -> dict[int, Contact]:
        numbers = list(dict.fromkeys(member.contact_id for member in members))
        return {found.number: found.state for found in self._store.load(contact.decider, numbers=numbers)}

    def _tell(self, number: int, state: ListSend, command: list_send.Command) -> bool:
        """Record what was done, unless another process did. Gives whether this one is to go on."""
        order = Order(decider=list_send.decider, command=command, context=context_of(state), number=number)
        [outcome] = self._store.handle(order)
        if isinstance(outcome, Failed):
            raise outcome.error
        return isinstance(outcome, Accepted)


def context_of(state: ListSend, position: int | None = None) -> Context:
    """The envelope of what comes of a send, at the request of that position."""
    return Context(
        organization_id=state.organization_id, client_id=state.client_id, causation_id=position, source="planner"
    )


def target(member: Member, person: Contact) -> Target:
    """A member to write to."""
    metadata = msgspec.json.decode(member.metadata or "{}")
    return Target(member.recipient_id, member.source_object_key, member.contact_id, person, metadata)
