"""Whose mail an event of SES is about: found by our tag, or by SES's name of the mail, and remembered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, TypeVar
from uuid import UUID

from domain import campaign
from domain import message as m
from domain.decider import Decider
from domain.mail_event import MailEvent
from domain.message import Message
from domain.store import arrays
from domain.store.log import Store

NUMBER: Final = (1 << m.KIND_BITS) - 1
REMEMBERED: Final = 10_000
"""Owners that are kept in memory; they never change."""
SENT: Final = """
SELECT w.ses_message_id, l.originator_id FROM unnest(%b) AS w (ses_message_id)
CROSS JOIN LATERAL (
    SELECT originator_id FROM log
    WHERE topic = 'message.sent@1' AND ses_name(state) = w.ses_message_id LIMIT 1) l
"""

Name = TypeVar("Name")


class Owner(NamedTuple):
    """Whose mail it is, and for whom."""

    organization_id: int
    client_id: int
    contact_id: int


class MailOwners:
    """One per thread: its memory is not locked. Its methods raise what a lost database raises."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._campaigns: dict[int, Owner] = {}
        self._messages: dict[UUID, Owner] = {}

    def streams(self, events: Iterable[MailEvent]) -> dict[str, UUID]:
        """The messages of events without a tag of ours that SES's name of the mail gives, by that name."""
        wanted = {event.ses_message_id for event in events if event.stream is None and event.ses_message_id}
        if not wanted:
            return {}
        with self._store.recorder.datastore.get_connection() as connection:
            cursor = self._store.recorder.cursor(connection)
            return dict(cursor.execute(SENT, (arrays.texts(wanted),), prepare=True).fetchall())

    def messages(self, events: Iterable[MailEvent]) -> dict[UUID, Message]:
        """The messages that must be known beforehand: of unknown owners, or about to suppress."""
        wanted = {
            event.stream
            for event in events
            if event.stream is not None
            and (event.suppresses or (is_transactional(event.stream) and event.stream not in self._messages))
        }
        states: dict[UUID, Message] = {}
        for decider in (m.transactional, m.of_campaign):
            streams = [stream for stream in wanted if decider_of(stream) is decider]
            if streams:
                loaded = self._store.load(decider, numbers=[stream.int & NUMBER for stream in streams])
                states.update({stream: each.state for stream, each in zip(streams, loaded, strict=True)})
        return states

    def of(self, events: Sequence[MailEvent], states: dict[UUID, Message]) -> dict[UUID, Owner]:
        """The owners of the messages that are known, or whose campaign is."""
        for stream, state in states.items():
            if state.requested is not None:
                said = state.requested
                _remember(self._messages, stream, Owner(said.organization_id, said.client_id, said.contact_id))
        streams = {event.stream for event in events if event.stream is not None}
        parts = {stream: m.campaign_and_contact(stream) for stream in streams if not is_transactional(stream)}
        missing = list({number for number, _ in parts.values() if number not in self._campaigns})
        if missing:
            for number, each in zip(missing, self._store.load(campaign.decider, numbers=missing), strict=True):
                if each.version:
                    _remember(self._campaigns, number, Owner(each.state.organization_id, each.state.client_id, 0))
        owners = {stream: self._messages[stream] for stream in streams if stream in self._messages}
        for stream, (number, contact_id) in parts.items():
            if number in self._campaigns:
                owners[stream] = self._campaigns[number]._replace(contact_id=contact_id)
        return owners


def is_transactional(stream: UUID) -> bool:
    """Tell a transactional message from a campaign's."""
    return stream.int >> m.KIND_BITS == m.transactional.kind


def decider_of(stream: UUID) -> Decider[Message]:
    """The rules of the kind that the stream is."""
    return m.transactional if is_transactional(stream) else m.of_campaign


def _remember(memory: dict[Name, Owner], name: Name, owner: Owner) -> None:
    if len(memory) >= REMEMBERED:
        memory.pop(next(iter(memory)))
    memory[name] = owner
