"""Starts a local SES of one's own on a free port: a test or a benchmark has it until the `with` block ends."""

import os
import selectors
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import IO, Final

from config.local.ses.client import LocalSes

READY: Final = "local SES: "
START_SECONDS: Final = 30.0
STOP_SECONDS: Final = 10.0
ROOT: Final = Path(__file__).resolve().parents[3]


class NotStartedError(Exception):
    """The process ended, or said nothing, before it was ready; its standard error tells why."""


@contextmanager
def local_ses(data_dir: Path, *, webhook_url: str = "", **environment: str) -> Iterator[LocalSes]:
    """Start a local SES that keeps its key in `data_dir`, yield its client once it answers, and stop it in the end.

    `environment` holds more of its variables, such as `LOCAL_SES_KEEP="1000"`. Raises `NotStartedError`.
    """
    own = {"DATA_DIR": str(data_dir), "LOCAL_SES_PORT": "0", "SES_WEBHOOK_URL": webhook_url, **environment}
    command = [sys.executable, "-m", "config.local.ses"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **own}, stdout=subprocess.PIPE, text=True)
    try:
        if process.stdout is None:
            raise NotStartedError
        yield LocalSes(_address(process.stdout))
    finally:
        _stop(process)


def _address(output: IO[str]) -> str:
    deadline = monotonic() + START_SECONDS
    with selectors.DefaultSelector() as selector:
        selector.register(output, selectors.EVENT_READ)
        if not selector.select(deadline - monotonic()):
            raise NotStartedError(f"not ready after {START_SECONDS} seconds")
    line = output.readline()
    if not line.startswith(READY):
        raise NotStartedError("the local SES ended at once")
    return line.removeprefix(READY).strip()


def _stop(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdout:
        process.stdout.close()
