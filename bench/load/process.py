"""Runs a job in a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import msgspec

from bench.load.__main__ import LENGTH_BYTES
from bench.load.job import Job, Report
from config.local import child
from config.local.plan import ROOT

PATIENCE_SECONDS = 30.0


class LoadError(Exception):
    """The load process failed."""


class LoadProcess:
    """A job under way. The process dies with this one, however this one ends."""

    def __init__(self, job: Job) -> None:
        binding = [str(os.getpid()), str(int(signal.SIGKILL)), str(child.UNCHANGED), str(child.UNCHANGED)]
        command = [sys.executable, "-I", "-S", child.__file__, *binding, sys.executable, "-m", "bench.load"]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        encoded = msgspec.msgpack.encode(job)
        if self._process.stdin is not None:
            self._process.stdin.write(len(encoded).to_bytes(LENGTH_BYTES, "big") + encoded)
            self._process.stdin.flush()

    def report(self, *, stop: bool = False) -> Report:
        """Wait for the end, or ask for it now. Raises LoadError."""
        if stop and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.stdin = None
        if self._process.stdout is None:
            raise LoadError("no report")
        said = self._process.stdout.read()
        if self._process.wait(PATIENCE_SECONDS) != 0:
            raise LoadError(f"exit {self._process.returncode}")
        return msgspec.msgpack.decode(said, type=Report)

    def end(self) -> None:
        """Kill the process if it still runs."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if pipe is not None:
                    pipe.close()


@contextmanager
def loading(job: Job) -> Iterator[LoadProcess]:
    """Load for the length of a ``with`` block, or until the job's own end."""
    process = LoadProcess(job)
    try:
        yield process
    finally:
        process.end()


def run(job: Job) -> Report:
    """Run a job to its end."""
    with loading(job) as process:
        return process.report()
