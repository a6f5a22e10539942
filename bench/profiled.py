"""Runs a module under cProfile, every thread of it: ``python -m bench.profiled FILE MODULE ARGUMENTS...``.

It counts processor time, not waiting. It makes calls dearer than they are, so shares tell more than times.
"""

from __future__ import annotations

import cProfile
import pstats
import runpy
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

SHOWN = 45
WORTH_SHOWING = 0.05
"""Seconds of a thread."""


def main(file: Path, module: str, arguments: list[str]) -> None:
    """Run to the end or SIGTERM, then write the most expensive functions to the file."""
    profiles = [cProfile.Profile(time.thread_time)]

    def begin(*_: object) -> None:
        profiles.append(cProfile.Profile(time.thread_time))
        profiles[-1].enable()

    signal.signal(signal.SIGTERM, end)
    threading.setprofile(begin)
    sys.argv = [module, *arguments]
    profiles[0].enable()
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        profiles[0].disable()
        write(file, profiles)


def end(number: int, _: FrameType | None) -> None:
    """End as an exception does."""
    sys.exit(128 + number)


def write(file: Path, profiles: list[cProfile.Profile]) -> None:
    """Write one table for each thread that did something worth showing."""
    with file.open("w") as out:
        for profile in profiles:
            profile.create_stats()
            if sum(function[2] for function in profile.stats.values()) > WORTH_SHOWING:
                pstats.Stats(profile, stream=out).strip_dirs().sort_stats("tottime").print_stats(SHOWN)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:])
