"""``python -m api`` as a process of its own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.api.serving import COURSES, MASTER_KEY_TEXT, Served
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


def answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(
    ("said", "status", "words"),
    [
        ({"DATABASE_URL": "postgresql://nobody@/nothing?host=/nowhere"}, 1, '"message":"cannot start"'),
        ({"MASTER_KEY": "short"}, 2, "MASTER_KEY must be"),
        ({"PORT": "x"}, 2, "PORT must be"),
    ],
)
def test_it_says_why_it_cannot_start(demo_database: str, said: dict[str, str], status: int, words: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "api"],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": demo_database, "MASTER_KEY": MASTER_KEY_TEXT, **said},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == status
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr


def test_it_serves_logs_json_without_personal_data_and_stops_when_asked(demo_database: str, tmp_path: Path) -> None:
    port = free_port()
    environ = {
        **os.environ,
        "DATABASE_URL": demo_database,
        "MASTER_KEY": MASTER_KEY_TEXT,
        "PORT": str(port),
    }
    log = tmp_path / "api.log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", "api"], cwd=ROOT, env=environ, stdout=written, stderr=subprocess.STDOUT
        )
    try:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/health"), "the API to start")
        with Served(f"http://127.0.0.1:{port}", None).client() as http:
            body = {"email": "secret-person@example.com", **COURSES}
            assert http.post("/api/contacts", json=body).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    lines = log.read_text().splitlines()
    assert lines
    assert all({"time", "level", "message"} <= set(json.loads(line)) for line in lines)
    assert "secret-person" not in log.read_text()
