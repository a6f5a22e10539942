"""The supervisor of `make run` as a process: started, stopped, killed."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local.plan import ROOT
from tests.local.running import Stack, alive, free_port
from tests.waiting import wait_until

Start = Callable[..., Stack]


@pytest.fixture
def data() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="datamailer-stack-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


@pytest.fixture
def start(data: Path) -> Iterator[Start]:
    stacks: list[Stack] = []

    def started(data: Path = data, **environ: str) -> Stack:
        stacks.append(Stack(data, **environ))
        return stacks[-1]

    yield started
    for stack in stacks:
        if stack.process.poll() is None:
            stack.interrupt()


def nothing_runs(pids: dict[int, str]) -> bool:
    return not any(alive(pid) for pid in pids)


def test_a_supervisor_killed_at_its_first_start_leaves_a_directory_that_starts(start: Start, data: Path) -> None:
    stack = start()
    wait_until((data / "postgres" / "unfinished" / "base").exists, "initdb to be at work")
    stack.process.kill()
    stack.end()
    again = start()
    again.wait_until_ready()
    assert again.steps() == "('migrate demo',) kafka="


def test_a_service_that_cannot_start_ends_the_start_with_its_log(start: Start) -> None:
    stack = start(HOST="127.0.0.2", STAND_IN_BROKEN="api")
    assert stack.end() == 1
    assert "Datamailer did not start: api keeps ending" in stack.screen
    assert "stand-in is broken" in stack.screen


def test_a_wrong_setting_is_named_without_its_value(start: Start) -> None:
    stack = start(PORT="8000", LOG_LEVEL="shouting", KAFKA="perhaps")
    assert stack.end() == 2
    assert "LOG_LEVEL must be one of" in stack.screen
    assert "KAFKA must be auto, on or off" in stack.screen
    assert "shouting" not in stack.screen
    assert "perhaps" not in stack.screen


def test_one_screen_ctrl_c_and_the_same_again(start: Start, data: Path) -> None:
    keys = []
    for steps in ("('migrate demo',) kafka=", "('migrate demo migrate',) kafka="):
        stack = start()
        stack.wait_until_ready()
        children = stack.descendants()
        assert any("postgres" in command for command in children.values())
        assert stack.steps() == steps
        assert f"http://127.0.0.1:{stack.port}" in stack.screen
        assert "consumers follow the log directly (no Apache Kafka: KAFKA=off)" in stack.screen
        assert "dm_dtcnews_demo_newsletter_import_export_key" in stack.screen
        assert str(data) in stack.screen
        assert stack.interrupt() == 0
        assert nothing_runs(children)
        assert stack.screen.endswith("Stopped.\n")
        keys.append([(data / name).read_text() for name in ("master.key", "operator.key")])
    assert keys[0] == keys[1]


def test_nothing_outlives_a_killed_supervisor_and_the_next_start_has_its_data(start: Start) -> None:
    port = str(free_port())
    stack = start(PORT=port)
    stack.wait_until_ready()
    children = stack.descendants()
    stack.process.kill()
    again = start(PORT=port)
    wait_until(lambda: nothing_runs(children), "the children of the killed supervisor to end")
    again.wait_until_ready()
    assert again.steps() == "('migrate demo migrate',) kafka="


def test_it_stops_when_make_is_killed_and_demo_off_is_heeded(data: Path) -> None:
    script = 'python -m tests.local.stand_in --die-with-parent & echo $! > "$DATA_DIR.pid"; wait'
    environ = dict(os.environ) | {"KAFKA": "off", "DEMO": "off", "DATA_DIR": str(data), "PORT": str(free_port())}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    screen = data.with_name("screen")
    with screen.open("w") as out:
        parent = subprocess.Popen(["sh", "-c", script], cwd=ROOT, env=environ, stdout=out, stderr=out)
    wait_until(lambda: "Ctrl-C" in screen.read_text(), "the screen", 60)
    assert "dm_" not in screen.read_text()
    assert not (data / "demo.done").exists()
    supervisor = int(data.with_name("data.pid").read_text())
    parent.kill()
    parent.wait()
    wait_until(lambda: not alive(supervisor), "the supervisor to end")
    assert screen.read_text().endswith("Stopped.\n")
