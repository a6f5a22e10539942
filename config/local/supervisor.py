"""Starts the servers and the service, keeps all of it running, and stops it in order."""

import os
import sys
import time
from collections.abc import Callable

from config.local.data import DataDirectory
from config.local.plan import ROOT, Arguments, Plan
from config.local.program import GRACE, Program, StartError
from config.local.reach import tell
from config.local.restarts import Kept
from config.local.servers import Servers
from config.local.web import base_url, check_port, get
from config.settings import Settings

LOOPBACK = "127.0.0.1"
WATCH_SECONDS = 0.1
READY_SECONDS = 60.0
TOO_MANY_ENDINGS = 3
HTTP_OK = 200
CONSUMERS = "consumers"


LOCAL_MAIL = {
    "SES_ENDPOINT_URL": "",
    "SES_CERTIFICATE_URL": "",
    "SES_CONFIGURATION_SET": "datamailer",
    "SES_TOPIC_ARNS": "arn:aws:sns:us-east-1:000000000000:datamailer-ses",
}


class Supervisor:
    """The local stack as one thing: `start`, `watch` until interrupted, `stop`.

    All of it runs in the main thread, since children die with the thread that started them. `plan` says what the
    service is made of (see `config.local.plan`), and what is told to `say` is one line for the terminal.
    """

    def __init__(self, settings: Settings, plan: Plan, say: Callable[[str], None]) -> None:
        self.settings = settings
        self.servers: Servers | None = None
        self.not_ready = ""
        self._data = DataDirectory(settings.data_dir)
        self._plan = plan
        self._say = say
        self._services: list[Kept] = []

    def start(self) -> Servers:
        """Start everything and wait until the service is ready; raise `StartError` when that cannot be."""
        self._data.hold()
        self._check_ports()
        self._say(f"starting on the data in {self.settings.data_dir}")
        self.servers = servers = Servers(self._data, self.settings.kafka, self._say)
        servers.start_postgres()
        servers.start_kafka()
        servers.wait_for_postgres()
        tell(self._data.path, servers.environ())
        self._run("migrate", self._plan.migrate)
        self._add_demo()
        self._start_services({name for name in self._plan.services if name != CONSUMERS})
        servers.wait_for_kafka()
        self._start_services({CONSUMERS})
        self._wait_until_ready()
        return servers

    def watch(self) -> None:
        """Keep everything running until the process is interrupted."""
        while True:
            self._tend()
            time.sleep(WATCH_SECONDS)

    def stop(self) -> None:
        """Stop the service, then the servers, the last started first; interrupted again, kill what is left."""
        try:
            for kept in self._services:
                kept.program.ask_to_stop()
            for kept in self._everything():
                kept.program.stop(GRACE)
        except KeyboardInterrupt:
            self._say("killing what is left")
            for kept in self._everything():
                kept.program.kill()
        finally:
            if self.servers is not None:
                self.servers.postgres.clean_up()
            self._data.release()

    def has(self, service: str) -> bool:
        """Tell whether a service is part of the plan."""
        return service in self._plan.services

    def _check_ports(self) -> None:
        check_port(self.settings.host, self.settings.port, "PORT")
        if self.has("ses"):
            check_port(LOOPBACK, self.settings.local_ses_port, "LOCAL_SES_PORT")

    def _everything(self) -> list[Kept]:
        servers = self.servers.kept if self.servers is not None else []
        return [*reversed(self._services), *reversed(servers)]

    def _tend(self) -> None:
        for kept in reversed(self._everything()):
            line = kept.tend()
            if line is not None:
                self._say(line)

    def _start_services(self, names: set[str]) -> None:
        for name, arguments in self._plan.services.items():
            if name in names:
                self._start_service(self._python(name, arguments))

    def _start_service(self, service: Program) -> None:
        kept = Kept(lambda: service)
        kept.start()
        self._services.append(kept)

    def _add_demo(self) -> None:
        done = self._data.path / "demo.done"
        if self.settings.demo and not done.exists():
            self._run("demo", self._plan.demo)
            done.touch()

    def _run(self, name: str, arguments: Arguments) -> None:
        self._python(name, arguments).run()

    def _python(self, name: str, arguments: Arguments) -> Program:
        command = [sys.executable, *arguments]
        return Program(name=name, command=command, log=self._data.log(name), environ=self._environ(), folder=ROOT)

    def _environ(self) -> dict[str, str]:
        url = base_url(self.settings.host, self.settings.port)
        own = {
            "HOST": self.settings.host,
            "PORT": str(self.settings.port),
            "DATA_DIR": str(self.settings.data_dir),
            "LOCAL_SES_PORT": str(self.settings.local_ses_port),
            "PUBLIC_URL": os.environ.get("PUBLIC_URL") or url,
            "PRIVATE_HOSTS": os.environ.get("PRIVATE_HOSTS") or "on",
        }
        if self.has("ses"):
            own |= local_mail(url, base_url(LOOPBACK, self.settings.local_ses_port))
        return dict(os.environ) | own | (self.servers.environ() if self.servers is not None else {})

    def _wait_until_ready(self) -> None:
        """Wait until the service says that it is ready; one that goes on without is left running, with its reasons."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            status, self.not_ready = get(self.settings.host, self.settings.port, "/ready")
            if status == HTTP_OK:
                self.not_ready = ""
                return
            self._tend()
            for kept in self._services:
                if kept.endings >= TOO_MANY_ENDINGS:
                    raise kept.program.failure("keeps ending")
            time.sleep(WATCH_SECONDS)
        if not self.not_ready:
            raise StartError(f"the API does not answer; see {self.settings.data_dir / 'logs' / 'api.log'}")


def local_mail(api: str, ses: str) -> dict[str, str]:
    """Have the service send through the local SES and trust what it signs, unless the environment names another."""
    chosen = {name: os.environ[name] for name in LOCAL_MAIL if os.environ.get(name)}
    return {**LOCAL_MAIL, "SES_ENDPOINT_URL": ses, "SES_CERTIFICATE_URL": f"{ses}/certificate.pem", **chosen} | {
        "SES_WEBHOOK_URL": f"{api}/webhooks/ses"
    }
