"""Names the machine that was measured."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import msgspec
import psycopg

PROCESSOR = Path("/proc/cpuinfo")


class Machine(msgspec.Struct, frozen=True):
    """What figures depend on. ``load`` is the machine's load average before the bench began."""

    cores: int
    processor: str
    memory_gib: float
    system: str
    python: str
    postgres: str
    fsync: str
    kafka: str
    load: float

    def __str__(self) -> str:
        return (
            f"{self.cores} cores ({self.processor}), {self.memory_gib:.0f} GiB, {self.system}; "
            f"Python {self.python}, PostgreSQL {self.postgres} with fsync {self.fsync}, {self.kafka}; "
            f"load before: {self.load:.1f}"
        )


def machine(conninfo: str, kafka: str, load: float) -> Machine:
    """Ask the system and the server."""
    with psycopg.connect(conninfo) as connection:
        row = connection.execute("SELECT current_setting('server_version'), current_setting('fsync')").fetchone()
    postgres, fsync = row or ("", "")
    return Machine(
        cores=os.cpu_count() or 0,
        processor=processor(),
        memory_gib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30,
        system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
        postgres=postgres,
        fsync=fsync,
        kafka=kafka,
        load=load,
    )


def processor() -> str:
    """The model of the CPU."""
    if PROCESSOR.exists():
        for line in PROCESSOR.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
