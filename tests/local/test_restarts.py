"""What the supervisor starts again, and what it refuses to start at all."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.local.plan import ROOT
from tests.local.running import HOST, Stack, free_port
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """One stack for the tests of this file, which disturb it and see that it is whole again."""
    with tempfile.TemporaryDirectory(prefix="datamailer-stack-") as folder:
        Path(folder).chmod(0o711)
        started = Stack(Path(folder) / "data", KAFKA="auto", PATH="/nowhere", JAVA_HOME="")
        started.wait_until_ready()
        yield started
        started.interrupt()


def refused(**environ: str) -> str:
    """Return what a start on these settings says when it is refused."""
    command = [sys.executable, "-m", "tests.local.stand_in"]
    environ = {**os.environ, "KAFKA": "off", **environ}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stderr == ""
    return done.stdout


def test_without_java_consumers_follow_the_log_directly_and_the_screen_says_why(stack: Stack) -> None:
    why = "no Apache Kafka: Java 17 or later is not installed"
    assert f"consumers follow the log directly ({why})" in stack.screen


def test_a_service_that_ends_is_started_again(stack: Stack) -> None:
    wait_until(lambda: stack.consumers_pid() > 0, "the stand-in consumers")
    first = stack.consumers_pid()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: stack.consumers_pid() not in {0, first}, "the consumers to be started again")
    assert "consumers stopped (signal 9); starting it again in 0.5 s" in stack.screen


def test_a_database_server_that_is_killed_comes_back(stack: Stack) -> None:
    server = next(pid for pid, command in stack.descendants().items() if "/bin/postgres -D" in command)
    os.kill(server, signal.SIGKILL)
    wait_until(lambda: "postgres stopped (signal 9)" in stack.screen, "the line about PostgreSQL")
    wait_until(lambda: stack.steps() == "('migrate demo',) kafka=", "the database to answer again")


def test_a_second_supervisor_on_the_same_data_is_refused(stack: Stack) -> None:
    said = refused(DATA_DIR=str(stack.data), PORT=str(free_port()))
    where = f"{stack.data} (process {stack.process.pid})"
    assert said == f"Datamailer did not start: Datamailer already runs on the data in {where}\n"
    assert stack.steps() == "('migrate demo',) kafka="


def test_a_taken_port_is_said_in_one_line_before_anything_is_made(tmp_path: Path) -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        said = refused(DATA_DIR=str(tmp_path / "data"), PORT=str(port))
    assert said == f"Datamailer did not start: port {port} is taken; choose another, such as PORT={port + 1}\n"
    assert not (tmp_path / "data" / "postgres").exists()


def test_kafka_that_is_insisted_on_and_cannot_be_had_is_an_error(home: Path) -> None:
    said = refused(DATA_DIR=str(home / "insisting"), PORT=str(free_port()), KAFKA="on", PATH="/nowhere", JAVA_HOME="")
    assert said.endswith("Datamailer did not start: KAFKA=on, but Java 17 or later is not installed\n")
