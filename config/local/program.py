"""One child process of the local stack: bound to its parent's life, its output in a log file, stopped in time."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.local import child
from config.local.owner import Owner

TICK = 0.02
GRACE = 15.0
TAIL_LINES = 12


class StartError(Exception):
    """Something of the local stack could not be started; the message is for the terminal."""


@dataclass(kw_only=True)
class Program:
    """A command and how it lives: its environment, its user, its log, and the signals that stop it.

    `death_signal` is what the kernel sends when the parent dies (see `config.local.child`). The command gets a process
    group of its own, so that Ctrl-C in the terminal reaches the parent alone, which then stops everything in order.
    """

    name: str
    command: list[str]
    log: Path
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    owner: Owner | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    death_signal: signal.Signals = signal.SIGKILL
    folder: Path = Path("/")
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start the command; call it from the main thread only."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self._bound(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=dict(self.environ),
                cwd=self.folder,
                start_new_session=True,
            )

    def run(self) -> None:
        """Run the command to its end, or raise `StartError` with the end of its log when it fails."""
        self.start()
        try:
            status = self.exited(wait=True)
        finally:
            self.stop()
        if status != 0:
            raise self.failure(f"failed (exit {status})")

    def exited(self, *, wait: bool = False) -> int | None:
        """Return the exit status (negative: the signal that ended it), or None while it runs."""
        if self.process is None:
            return 0
        return self.process.wait() if wait else self.process.poll()

    def wait_until(self, ready: Callable[[], bool], seconds: float) -> None:
        """Wait until the command is ready, or raise `StartError` when it ends first or the time is over."""
        deadline = time.monotonic() + seconds
        while not ready():
            status = self.exited()
            if status is not None:
                raise self.failure(f"ended at its start (exit {status})")
            if time.monotonic() > deadline:
                raise self.failure(f"was not ready after {seconds:.0f} s")
            time.sleep(TICK)

    def ask_to_stop(self) -> None:
        """Send the stop signal, if it runs."""
        if self.process is not None and self.exited() is None:
            self.process.send_signal(self.stop_signal)

    def stop(self, grace: float = GRACE) -> None:
        """Stop the command; what is left of its process group after `grace` seconds is killed."""
        if self.process is None:
            return
        self.ask_to_stop()
        try:
            self.process.wait(grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Kill the command and all of its process group at once."""
        if self.process is not None and self.exited() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def failure(self, what: str) -> StartError:
        """Return an error that says what happened to the command, with the end of its log."""
        return StartError(f"{self.name} {what}; the end of {self.log}:\n{self.tail()}")

    def tail(self) -> str:
        """Return the last lines of the log, indented."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(f"    {line}" for line in lines[-TAIL_LINES:])

    def _bound(self) -> list[str]:
        uid, gid = (child.UNCHANGED, child.UNCHANGED) if self.owner is None else (self.owner.uid, self.owner.gid)
        binding = [os.getpid(), int(self.death_signal), uid, gid]
        return [sys.executable, "-I", "-S", child.__file__, *map(str, binding), *self.command]
