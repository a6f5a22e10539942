"""Events to stored bytes and back: stable topics, JSON, sealed personal fields, older versions upcast."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from eventsourcing.persistence import Mapper as LibraryMapper
from eventsourcing.persistence import StoredEvent, Transcoder
from eventsourcing.utils import register_topic

from domain.catalog import EVENTS
from domain.decider import UPCASTERS, Event, EventType
from domain.personal import OWN, Address, Personal, SealingKeys


class UnknownEvent(Exception):
    """The log holds an event that this version of the code cannot decode: ``topic`` names it."""

    def __init__(self, topic: str) -> None:
        super().__init__(topic)
        self.topic = topic


class StreamEvent(msgspec.Struct, frozen=True):
    """An event in its place: what the library calls a domain event."""

    originator_id: UUID
    originator_version: int
    event: Event


def encode_personal(value: object) -> str:
    """The stored form of a sealed field."""
    if isinstance(value, Personal):
        return value.token
    msg = f"cannot store a {type(value).__name__}"
    raise NotImplementedError(msg)


def decode_personal(cls: type, token: Any) -> Personal:
    """A sealed field from its stored form, keys not yet bound."""
    if issubclass(cls, Personal):
        return cls.from_token(token)
    msg = f"cannot read a {cls.__name__}"
    raise NotImplementedError(msg)


class JSONTranscoder(Transcoder):
    """msgspec's JSON, which knows sealed fields."""

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder(enc_hook=encode_personal)

    def encode(self, obj: Any) -> bytes:
        """The JSON bytes of an event whose personal fields are sealed."""
        return self._encoder.encode(obj)

    def decode(self, data: bytes) -> Any:
        """The plain JSON value."""
        return msgspec.json.decode(data)


class Opener:
    """Decodes the stored bytes of one topic, whichever version of its event they hold."""

    def __init__(self, topic: str, latest: EventType) -> None:
        self.personal = personal_fields(latest.cls)
        self.decode: Callable[[bytes], Event] = msgspec.json.Decoder(latest.cls, dec_hook=decode_personal).decode
        self._latest = latest
        self._steps = []
        version = int(topic.partition("@")[2])
        while version < latest.version:
            self._steps.append(UPCASTERS[f"{latest.name}@{version}"])
            version += 1
        if self._steps:
            self.decode = self._upcast

    def _upcast(self, data: bytes) -> Event:
        fields = msgspec.json.decode(data)
        for step in self._steps:
            fields = step(fields)
        return msgspec.convert(fields, self._latest.cls, dec_hook=decode_personal)


class Form(NamedTuple):
    """How events of a class are stored: under which topic, and which of their fields are personal."""

    topic: str
    personal: tuple[tuple[str, bool], ...]


class Mapper(LibraryMapper[UUID]):
    """The library's mapper, with topics apart from Python paths and sealing per field."""

    def __init__(self, event_types: Iterable[EventType] = EVENTS.values()) -> None:
        super().__init__(JSONTranscoder())
        self._types = {known.cls: known for known in event_types}
        self._forms = {cls: Form(known.topic, personal_fields(cls)) for cls, known in self._types.items()}
        self._encode = self.transcoder.encode

    @cached_property
    def _openers(self) -> dict[str, Opener]:
        openers = {}
        for cls, event_type in self._types.items():
            register_topic(event_type.topic, cls)
            for version in range(1, event_type.version + 1):
                topic = f"{event_type.name}@{version}"
                openers[topic] = Opener(topic, event_type)
        return openers

    def seal(self, event: Event, organization_id: int, keys: SealingKeys) -> tuple[str, bytes]:
        """The topic and the bytes to store; personal fields are sealed in place. Raises KeyError for a missing key."""
        form = self._forms[type(event)]
        for field, own in form.personal:
            value = getattr(event, field)
            if value is not None:
                value.seal(OWN if own else organization_id, keys)
        return form.topic, self._encode(event)

    def opener(self, topic: str) -> Opener:
        """What decodes the events of a topic. Raises UnknownEvent."""
        opener = self._openers.get(topic)
        if opener is None:
            raise UnknownEvent(topic)
        return opener

    def open(self, topic: str, data: bytes, keys: SealingKeys) -> Event:
        """The event of stored bytes, its personal fields bound to the keys. Raises UnknownEvent."""
        opener = self.opener(topic)
        event = opener.decode(data)
        for field, _ in opener.personal:
            value = getattr(event, field)
            if value is not None:
                value.bind(keys)
        return event

    def personal_of(self, event: Event) -> tuple[tuple[str, bool], ...]:
        """Which fields of the event are personal, and whether the contact's own key seals them."""
        return self._forms[type(event)].personal

    def needs_key(self, topic: str, *, own: bool) -> bool:
        """True when events of the topic can bear data sealed by the contact's own key, or by an organization's."""
        opener = self._openers.get(topic)
        return opener is not None and any(by_own is own for _, by_own in opener.personal)

    def to_stored_event(self, domain_event: Any) -> StoredEvent:
        """The library's form of an event that bears no unsealed personal data."""
        topic, state = self.seal(domain_event.event, OWN, {})
        return StoredEvent(domain_event.originator_id, domain_event.originator_version, topic, state)

    def to_domain_event(self, stored_event: StoredEvent) -> Any:
        """The event of the library's stored form, with personal fields redacted."""
        event = self.open(stored_event.topic, stored_event.state, {})
        return StreamEvent(UUID(str(stored_event.originator_id)), stored_event.originator_version, event)


def personal_fields(cls: type[Event]) -> tuple[tuple[str, bool], ...]:
    """The personal fields of an event class, each with whether the contact's own key seals it."""
    return tuple(
        (field.name, any(issubclass(part, Address) for part in parts))
        for field in msgspec.structs.fields(cls)
        if (parts := [part for part in _parts(field.type) if isinstance(part, type) and issubclass(part, Personal)])
    )


def _parts(annotation: Any) -> Iterable[Any]:
    return getattr(annotation, "__args__", (annotation,))
