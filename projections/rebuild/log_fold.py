"""Folds the log in its order into a generation: catches up what was filled, fills what no stream holds alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from domain.store.recorded import COLUMNS, Recorded
from domain.store.unsealing import Unsealer
from projections.projection import Projection
from projections.rebuild.database import Connection
from projections.rebuild.reading import taken
from projections.rebuild.refusals import LOST, BadEventError
from projections.rebuild.stream_fold import unwanted

CHUNK: Final = 20_000
"""Positions that are folded at once."""

READ = f"""
SELECT {COLUMNS} FROM log
WHERE notification_id > %b AND notification_id <= %b AND topic <> ALL (%b) ORDER BY notification_id
"""

Choose = Callable[[Recorded], bool]


class LogFold:
    """The model's own fold, in a session that finds the generation's tables first. They must have their keys."""

    def __init__(self, connection: Connection, unsealer: Unsealer, projection: Projection) -> None:
        self._connection = connection
        self._unsealer = unsealer
        self._projection = projection
        self._unwanted = unwanted(projection)

    def apply(self, after: int, through: int, choose: Choose | None = None) -> None:
        """Fold the events above one position and up to another, or those of them that are chosen, in one transaction.

        Raises BadEventError; then nothing of them was written.
        """
        with self._connection.transaction():
            for start in range(after, through, CHUNK):
                self._fold(self._read(start, min(start + CHUNK, through), choose))

    def _read(self, after: int, through: int, choose: Choose | None) -> list[Recorded]:
        cursor = self._connection.cursor(binary=True)
        events = taken(cursor.execute(READ, (after, through, self._unwanted), prepare=True))
        return self._projection.wanted(events if choose is None else filter(choose, events))

    def _fold(self, events: Sequence[Recorded]) -> None:
        """Fold, and halve what fails until the event is found that does."""
        if not events:
            return
        try:
            with self._connection.transaction():
                self._projection.fold(self._connection, self._unsealer.open(self._connection, events))
        except (*LOST, BadEventError):
            raise
        except Exception as error:
            if len(events) == 1:
                raise BadEventError(events[0].position, events[0].topic, error) from error
            middle = len(events) // 2
            self._fold(events[:middle])
            self._fold(events[middle:])
