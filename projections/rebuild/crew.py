"""Fills a generation with several processes: this one, and others that end with it."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context, parent_process
from multiprocessing.process import BaseProcess
from threading import Thread
from typing import Final

from projections.rebuild.database import Database
from projections.rebuild.filling import fill
from projections.rebuild.refusals import RebuildError
from projections.schema import read_models

SECONDS: Final = 0.2
log = logging.getLogger(__name__)


def work(database: Database, name: str, as_of: int) -> None:
    """Be one of the crew, in a process of its own. What fails here is found again by the process that leads."""
    end_with_leader()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    projection = next(model for model in read_models() if model.name == name)
    try:
        fill(database, database.unsealer(), projection, as_of, lambda: None)
    except RebuildError as error:
        log.info("a process of the rebuild ended", extra={"projection": name, "error": str(error)})


def end_with_leader() -> None:
    """Have this process end as soon as the one that started it does, however that ends."""
    leader = parent_process()
    if leader is not None:

        def follow() -> None:
            leader.join()
            os._exit(1)

        Thread(target=follow, daemon=True).start()


@contextmanager
def crew(database: Database, name: str, as_of: int, processes: int) -> Iterator[list[BaseProcess]]:
    """So many processes besides this one; at the end of the block they are there no more."""
    spawn = get_context("spawn")
    others = [spawn.Process(target=work, args=(database, name, as_of), daemon=True) for _ in range(processes - 1)]
    for other in others:
        other.start()
    try:
        yield list(others)
    finally:
        for other in others:
            other.terminate()
            other.join()


def wait(others: list[BaseProcess], note: Callable[[], None]) -> None:
    """Until the others have filled what they claimed."""
    while any(other.is_alive() for other in others):
        others[0].join(SECONDS)
        note()
