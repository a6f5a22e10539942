"""Processes that share work out, and end with this one however it ends."""

from __future__ import annotations

import signal
from collections.abc import Callable, Sequence
from multiprocessing import get_context
from typing import Any

from bench.row import RowFailed
from projections.rebuild.crew import end_with_leader


def side_by_side(work: Callable[..., None], shares: Sequence[tuple[Any, ...]]) -> None:
    """Do the work once for each share, all at the same time. Raises RowFailed when one failed; it says why itself."""
    spawn = get_context("spawn")
    workers = [spawn.Process(target=worker, args=(work, share), daemon=True) for share in shares]
    for each in workers:
        each.start()
    try:
        for each in workers:
            each.join()
    finally:
        for each in workers:
            each.terminate()
            each.join()
    if any(each.exitcode for each in workers):
        raise RowFailed(f"a process failed: {work.__name__}")


def worker(work: Callable[..., None], share: tuple[Any, ...]) -> None:
    """Be one of them: Ctrl-C is for the first process, which stops the others."""
    end_with_leader()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    work(*share)
