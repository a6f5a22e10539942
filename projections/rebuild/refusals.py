"""Why a rebuild stops: every reason but a lost database, with a message for operators and no personal data in it."""

from __future__ import annotations

import psycopg


class RebuildError(Exception):
    """A rebuild or verification cannot go on; the live tables are as they were."""


class UnknownModelError(RebuildError):
    """There is no read model of that name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"there is no read model {name}; there are {', '.join(known)}")


class RunningError(RebuildError):
    """One rebuild or verification of a model at a time."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is being rebuilt or verified already")


class BadEventError(RebuildError):
    """An event cannot be decoded or folded: it may come from a newer release, or the fold has a defect."""

    def __init__(self, position: int, topic: str, error: Exception) -> None:
        super().__init__(f"event {position} ({topic}) cannot be applied: {type(error).__name__}")
        self.position = position
        self.topic = topic


class LostKeyError(RebuildError):
    """What wraps the keys of contacts is gone: every text in the new tables would read as that of an erased person."""

    def __init__(self) -> None:
        super().__init__("the root key that wrapped the keys of contacts is gone: restore the row of root_key")


class BrokenError(RebuildError):
    """The database refused what was asked of it, for want of space, say, or because two rows have the same key."""

    def __init__(self, name: str, error: Exception) -> None:
        super().__init__(f"{name} cannot be built: the database says {type(error).__name__}")


class IncomparableError(RebuildError):
    """The live rows cannot be compared; the message says why."""


class DependentError(RebuildError):
    """Views that are not the project's own stand on the live tables, which therefore cannot be replaced."""

    def __init__(self, views: list[str]) -> None:
        super().__init__(f"drop the views {', '.join(views)} first: they stand on the tables to be replaced")


class StoppedError(RebuildError):
    """It was asked to stop; the next one goes on from there."""

    def __init__(self) -> None:
        super().__init__("stopped; the next rebuild goes on from here")


LOST = (psycopg.OperationalError, psycopg.InterfaceError, StoppedError)
"""What says nothing about the events that were at hand."""
