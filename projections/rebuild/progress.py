"""How far a rebuild is: what is told while it runs."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from projections.rebuild.journal import Stage


class Progress(msgspec.Struct, frozen=True):
    """``done`` of ``events`` of a stage; both 0 where a stage has nothing to count. ``note`` says what it waits for."""

    projection: str
    stage: Stage
    done: int = 0
    events: int = 0
    note: str = ""


Watch = Callable[[Progress], None]
"""Told of progress, several times a second at most. It may raise StoppedError: the rebuild then stops in order."""


def unwatched(_: Progress) -> None:
    """Nobody looks."""
