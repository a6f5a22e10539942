"""What processes have used: processor time, and memory at its peak. Without ``/proc`` it is all 0."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
TICKS = os.sysconf("SC_CLK_TCK")
GONE = (FileNotFoundError, ProcessLookupError)
RESET_PEAK = "5"
"""Written to ``clear_refs``, it makes the peak what is used now (proc(5))."""


def fields(pid: int) -> list[str]:
    """The fields of ``stat`` from the third (state) on: names before may hold anything."""
    with suppress(*GONE):
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return []


def cpu_seconds(pid: int) -> float:
    """Processor time of a process, of its children that ended, and of those that run."""
    total = 0.0
    for entry in PROC.glob("[0-9]*"):
        found = fields(int(entry.name))
        if not found:
            continue
        own, ended = sum(map(int, found[11:13])), sum(map(int, found[13:15]))
        if pid in (int(entry.name), int(found[1])):
            total += own + ended
    return total / TICKS


def reset_peak(pid: int) -> None:
    """Let the peak be counted from now on."""
    with suppress(*GONE, PermissionError):
        (PROC / str(pid) / "clear_refs").write_text(RESET_PEAK)


def memory(pid: int, what: str = "VmRSS") -> float:
    """Resident memory in MB, ``VmRSS`` now or ``VmHWM`` at its peak."""
    with suppress(*GONE):
        for line in (PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith(f"{what}:"):
                return int(line.split()[1]) / 1000
    return 0.0
