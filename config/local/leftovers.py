"""What a server that was killed, or that outlived its supervisor, left behind: its processes and its lock files."""

import contextlib
import os
import signal
import time
from pathlib import Path

from config.local.program import TICK, StartError

PROCESSES = Path("/proc")
SECONDS = 30.0


def end_leftovers(cluster: Path, sockets: Path) -> None:
    """End every process that still works in a cluster, then remove its lock files.

    A lock file names a process whose number may meanwhile be another program's, so where processes show their working
    folder (Linux) that is believed instead. Elsewhere the server judges its lock file itself. Whoever calls this holds
    the lock of the data directory: no other supervisor runs a server here.
    """
    if not PROCESSES.exists():
        return
    postmaster = _postmaster(cluster)
    if postmaster in _working_in(cluster):
        with contextlib.suppress(ProcessLookupError):
            os.kill(postmaster, signal.SIGINT)
    deadline = time.monotonic() + SECONDS
    while leftover := _working_in(cluster):
        if time.monotonic() > deadline:
            raise StartError(f"processes of an earlier PostgreSQL do not end: {', '.join(map(str, leftover))}")
        time.sleep(TICK)
    for lock in (cluster / "postmaster.pid", *sockets.glob(".s.PGSQL.*")):
        lock.unlink(missing_ok=True)


def _postmaster(cluster: Path) -> int:
    """Return the process number in the lock file, 0 without one."""
    try:
        return int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return 0


def _working_in(folder: Path) -> list[int]:
    """Return the processes whose working folder this is: PostgreSQL's server and its children stand in the cluster."""
    found = []
    for process in PROCESSES.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").samefile(folder):
                found.append(int(process.name))
    return found
