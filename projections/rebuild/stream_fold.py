"""Folds whole streams into rows, each from its beginning: nothing is loaded, and only what is left is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from domain.catalog import EVENTS
from domain.personal import SealingKeys
from domain.store.mapper import Opener
from domain.store.recorded import Recorded
from projections.projection import Projection, RowFold, Rows
from projections.rebuild.refusals import BadEventError

NO_KEYS: SealingKeys = {}


def unwanted(projection: Projection) -> list[str]:
    """The topics that need not be read for a model. One that this code does not know is not among them."""
    return [topic for topic in EVENTS if not projection.folds(topic)]


class Openers(dict[str, Opener | None]):
    """What decodes the events of a topic; None for a topic that the model does not fold."""

    def __init__(self, projection: Projection, opener: Callable[[str], Opener]) -> None:
        super().__init__()
        self._folds = projection.folds
        self._opener = opener

    def __missing__(self, topic: str) -> Opener | None:
        """Find it. Raises UnknownEvent for one that this code cannot decode."""
        self[topic] = found = self._opener(topic) if self._folds(topic) else None
        return found


class StreamFold:
    """The fold of a model whose rows come from one stream each."""

    def __init__(self, projection: Projection, fold: RowFold, opener: Callable[[str], Opener]) -> None:
        self._evolve = fold.evolve
        self._openers = Openers(projection, opener)

    def rows(self, events: Iterable[Recorded], keys: Mapping[int, SealingKeys]) -> dict[type, list[Any]]:
        """The rows by type, after events that come stream by stream. Raises BadEventError."""
        evolve, openers = self._evolve, self._openers
        folded: list[Any] = []
        rows: Rows = {}
        stream: object = None
        for recorded in events:
            try:
                if recorded.stream != stream:
                    folded += rows.values()
                    rows, stream = {}, recorded.stream
                opener = openers[recorded.topic]
                if opener is None:
                    continue
                event = opener.decode(recorded.data)
                for field, _ in opener.personal:
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
