"""The service on a temporary data directory and free ports, made of the same parts as `make run`."""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from bench.row import Feed
from config.local.data import DataDirectory
from config.local.plan import DATAMAILER, ROOT, Arguments, Plan
from config.local.program import Program, StartError
from config.local.servers import Servers
from config.local.ses.client import LocalSes
from config.local.supervisor import local_mail
from config.local.web import get
from config.settings import Settings
from consumers.__main__ import CONSUMERS
from projections.rebuild.database import Database

LOOPBACK = "127.0.0.1"
SENDER = "campaign-sender"
READY_SECONDS = 60.0
TICK = 0.05
HTTP_OK = 200


class Stack:
    """Servers and services, running. ``wrap`` changes the arguments of services, to run one under a profiler.

    ``prepare`` is called when there are servers, schema and demo data, before the services start.
    """

    def __init__(
        self,
        folder: Path,
        feed: Feed,
        say: Callable[[str], None],
        *,
        plan: Plan | None = None,
        wrap: Callable[[str, Arguments], Arguments] = lambda _, arguments: arguments,
        prepare: Callable[[Stack], None] = lambda _: None,
    ) -> None:
        self.feed = feed
        self.port = free_port()
        self.folder = folder
        self._data = DataDirectory(folder)
        self._plan = plan or plan_of(feed)
        self._say = say
        self._wrap = wrap
        self._prepare = prepare
        self._ses_port = free_port()
        self._services: dict[str, Program] = {}
        self.servers: Servers

    @contextmanager
    def running(self) -> Iterator[Stack]:
        """Run all of it for the length of a ``with`` block. Raises StartError, with the reason."""
        self._data.hold()
        try:
            self._start()
            yield self
        finally:
            self._stop()

    def pid(self, service: str) -> int:
        """The process of a service, ``api`` or ``consumers``, or of ``postgres`` or ``kafka``."""
        programs = {kept.program.name: kept.program for kept in self.servers.kept} | self._services
        process = programs[service].process if service in programs else None
        return process.pid if process is not None else 0

    @property
    def ses(self) -> LocalSes:
        """The local SES, which the services send through."""
        return LocalSes(f"http://{LOOPBACK}:{self._ses_port}")

    @property
    def conninfo(self) -> str:
        """The service's database."""
        return self.servers.postgres.conninfo()

    @property
    def master_key(self) -> str:
        """What opens its personal data."""
        return self.servers.environ()["MASTER_KEY"]

    def database(self, name: str = "") -> Database:
        """The service's database, or another of the server with the same master key."""
        return Database(self.servers.postgres.conninfo(name) if name else self.conninfo, self.master_key)

    @contextmanager
    def paused(self, service: str) -> Iterator[None]:
        """Hold a service's process still for the length of a ``with`` block."""
        os.kill(self.pid(service), signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self.pid(service), signal.SIGCONT)

    def check(self) -> None:
        """See that all services run. Raises StartError with the end of the log of one that does not."""
        for program in self._services.values():
            if program.exited() is not None:
                raise program.failure("ended by itself")

    def stop_services(self) -> None:
        """Stop the services in order, and leave the servers."""
        for program in self._services.values():
            program.ask_to_stop()
        for program in reversed(self._services.values()):
            program.stop()

    def environ(self) -> Mapping[str, str]:
        """What a process of the service has to know."""
        api = f"http://{LOOPBACK}:{self.port}"
        own = {"HOST": LOOPBACK, "PORT": str(self.port), "DATA_DIR": str(self.folder), "LOG_LEVEL": "warning"}
        mail = {"LOCAL_SES_PORT": str(self._ses_port), "PUBLIC_URL": api} | local_mail(api, self.ses.url)
        return dict(os.environ) | own | mail | self.servers.environ()

    def program(self, name: str, arguments: Arguments) -> Program:
        """One more process of the service, to be started and stopped by the caller."""
        command = [sys.executable, *arguments]
        return Program(name=name, command=command, log=self._data.log(name), environ=self.environ(), folder=ROOT)

    def _start(self) -> None:
        self.servers = Servers(self._data, "on" if self.feed == "kafka" else "off", self._say)
        self.servers.start_postgres()
        self.servers.start_kafka()
        self.servers.wait_for_postgres()
        self.program("migrate", self._plan.migrate).run()
        self.program("demo", self._plan.demo).run()
        self._prepare(self)
        self.servers.wait_for_kafka()
        for name, arguments in self._plan.services.items():
            self._services[name] = self.program(name, self._wrap(name, arguments))
            self._services[name].start()
        self._wait_until_ready()

    def _wait_until_ready(self) -> None:
        deadline, why = time.monotonic() + READY_SECONDS, ""
        while time.monotonic() < deadline:
            status, why = get(LOOPBACK, self.port, "/ready")
            ses = get(LOOPBACK, self._ses_port, "/faults")[0] if "ses" in self._services else HTTP_OK
            if (status, ses) == (HTTP_OK, HTTP_OK):
                return
            self.check()
            time.sleep(TICK)
        raise StartError(f"the service does not become ready: {why}")

    def _stop(self) -> None:
        try:
            self.stop_services()
            for kept in reversed(self.servers.kept if hasattr(self, "servers") else []):
                kept.program.stop()
        finally:
            if hasattr(self, "servers"):
                self.servers.postgres.clean_up()
            self._data.release()


def plan_of(feed: Feed) -> Plan:
    """What `make run` has, with the campaign sender in a process of its own."""
    others = [name for name in CONSUMERS if name != SENDER and (name != "relay" or feed == "kafka")]
    services = dict(DATAMAILER.services)
    services |= {"consumers": ("-m", "consumers", *others), SENDER: ("-m", "consumers", SENDER)}
    return Plan(DATAMAILER.migrate, DATAMAILER.demo, services)


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.create_server((LOOPBACK, 0)) as server:
        port: int = server.getsockname()[1]
        return port


def share_cache(folder: Path) -> None:
    """Let a new data directory use what `make run` has fetched already."""
    cache = Settings.read(required=()).data_dir / "cache"
    cache.mkdir(parents=True, exist_ok=True)
    (folder / "cache").symlink_to(cache)
