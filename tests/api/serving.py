"""A real API server in this process: uvicorn on a free port, its own event loop in a thread."""

from __future__ import annotations

import base64
import contextlib
import socket
from collections.abc import Iterator
from threading import Thread
from typing import Any

import httpx

from api.__main__ import server
from api.demo import KEYS
from config.settings import Settings
from tests.waiting import wait_until

MASTER_KEY = b"a master key of thirty-two bytes"
MASTER_KEY_TEXT = base64.b64encode(MASTER_KEY).decode()
OPERATOR_KEY = "an operator key for the tests"

COURSES = {"audience": "dtc-courses", "client": "dtc-courses"}
"""The scope in which most tests act: organization datatalksclub."""

LABS = {"audience": "ai-shipping-labs", "client": "asl-platform"}
"""A scope of another organization."""


class Served:
    """A running server. ``client`` gives connections that authenticate as a demo client."""

    def __init__(self, base_url: str, application: Any) -> None:
        self.base_url = base_url
        self.application = application

    def client(self, key: str | None = KEYS["dtc-courses"]) -> httpx.Client:
        """A client of the API with a key, or without one."""
        headers = {} if key is None else {"Authorization": f"Bearer {key}"}
        return httpx.Client(base_url=self.base_url, headers=headers, timeout=30)


def settings_of(conninfo: str, **more: Any) -> Settings:
    """Settings for tests on a database."""
    return Settings(
        database_url=conninfo, master_key=MASTER_KEY, operator_key=OPERATOR_KEY, **{"private_hosts": True, **more}
    )


@contextlib.contextmanager
def serving(settings: Settings) -> Iterator[Served]:
    """Serve the API for the length of a ``with`` block."""
    uvicorn = server(settings)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=uvicorn.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            wait_until(lambda: uvicorn.started or not thread.is_alive(), "the API to start")
            yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", uvicorn.config.app)
        finally:
            uvicorn.should_exit = True
            thread.join()


def fields(response: httpx.Response) -> dict[str, str]:
    """The wrong fields of a refused request."""
    error = response.json()["error"]
    assert error["code"] == "validation_error", error
    found: dict[str, str] = error["fields"]
    return found
