"""A stack of stand-ins as tests drive it: started as a process, its screen read, its descendants counted."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

from config.local.plan import ROOT
from config.local.web import get
from tests.waiting import wait_until

PROCESSES = Path("/proc")
HOST = "127.0.0.1"


def free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


class Stack:
    """One start of the stand-in stack on a data directory."""

    def __init__(self, data: Path, **environ: str) -> None:
        self.data = data
        self.port = int(environ.get("PORT", free_port()))
        self.out = data.with_name(f"{data.name}.screen")
        environ = {"KAFKA": "off", "PORT": str(self.port), "DATA_DIR": str(data)} | environ
        with self.out.open("w") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.local.stand_in"],
                cwd=ROOT,
                env=dict(os.environ) | environ,
                stdout=out,
                stderr=out,
            )

    @property
    def screen(self) -> str:
        return self.out.read_text()

    def wait_until_ready(self) -> None:
        wait_until(lambda: "Ctrl-C" in self.screen or self.process.poll() is not None, "the screen", 90)
        assert "Datamailer runs" in self.screen, self.screen

    def end(self) -> int:
        """Wait for the supervisor to end; return its exit status."""
        return self.process.wait(60)

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.end()

    def descendants(self) -> dict[int, str]:
        """Return the processes under the supervisor, by number, with what each is."""
        parents = {pid: parent for pid in processes() if (parent := parent_of(pid)) is not None}
        found, level = set[int](), {self.process.pid}
        while level:
            level = {pid for pid, parent in parents.items() if parent in level}
            found |= level
        return {pid: command_of(pid) for pid in found}

    def consumers_pid(self) -> int:
        file = self.data / "consumers.pid"
        return int(file.read_text() or 0) if file.exists() else 0

    def steps(self) -> str:
        """Return what the stand-in service answers: the set-up steps that the database has seen, and the broker."""
        return get(HOST, self.port, "/ready")[1]


def processes() -> list[int]:
    return [int(process.name) for process in PROCESSES.glob("[0-9]*")]


def parent_of(pid: int) -> int | None:
    try:
        return int((PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):
        return None


def command_of(pid: int) -> str:
    try:
        return (PROCESSES / str(pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")[:200]
    except OSError:
        return ""


def alive(pid: int) -> bool:
    """Tell whether a process runs; one that has ended and only waits to be read (a zombie) does not."""
    try:
        return (PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False
