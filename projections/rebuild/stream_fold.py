"""Folds whole streams into rows, each from its beginning: nothing is loaded, and only what is left is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from domain.catalog import EVENTS
from domain.decider import Event
from domain.personal import SealingKeys
from domain.store.mapper import Opener
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows
from projections.rebuild.refusals import BadEventError

NO_KEYS: SealingKeys = {}


def unwanted(projection: Projection) -> list[str]:
    """The topics that need not be read for a model. One that this code does not know is not among them."""
    return [topic for topic in EVENTS if not projection.folds(topic)]


class Reader(NamedTuple):
    """What decodes the events of a topic, and their fields that need keys."""

    decode: Callable[[bytes], Event]
    personal: tuple[str, ...]


class Readers(dict[str, Reader | None]):
    """By topic; None for a topic that the model does not fold."""

    def __init__(self, projection: Projection, opener: Callable[[str], Opener]) -> None:
        super().__init__()
        self._folds = projection.folds
        self._opener = opener

    def __missing__(self, topic: str) -> Reader | None:
        """Find it. Raises UnknownEvent for one that this code cannot decode."""
        found = None
        if self._folds(topic):
            opener = self._opener(topic)
            found = Reader(opener.decode, tuple(field for field, _ in opener.personal))
        self[topic] = found
        return found


class StreamFold:
    """The fold of a model whose rows come from one stream each."""

    def __init__(self, projection: Projection, fold: RowFold, opener: Callable[[str], Opener]) -> None:
        self._evolve = fold.evolve
        self._readers = Readers(projection, opener)

    def rows(self, events: Iterable[Recorded], keys: Mapping[int, SealingKeys]) -> dict[type, list[Any]]:
        """The rows by type, after events that come stream by stream. Raises BadEventError."""
        evolve, readers = self._evolve, self._readers
        folded: list[Any] = []
        rows: Rows = {}
        stream: object = None
        for recorded in events:
            try:
                if recorded.stream != stream:
                    folded += rows.values()
                    rows, stream = {}, recorded.stream
                reader = readers[recorded.topic]
                if reader is None:
                    continue
                decode, personal = reader
                event = decode(recorded.data)
                for field in personal:
                    value = getattr(event, field)
                    if value is not None:
                        value.bind(keys.get(recorded.contact_id, NO_KEYS))
                rows = evolve(rows, recorded, event)
            except Exception as error:
                raise BadEventError(recorded.position, recorded.topic, error) from error
        folded += rows.values()
        return by_type(folded)


def by_type(rows: Iterable[Any]) -> dict[type, list[Any]]:
    """Rows by the table that they belong to."""
    found: dict[type, list[Any]] = {}
    for row in rows:
        found.setdefault(type(row), []).append(row)
    return found
