"""What a person sees in the terminal: one screen when the service is ready, and single lines before and after it."""

import contextlib
import time
from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from config.local.servers import Servers
from config.local.supervisor import LOOPBACK, Supervisor
from config.local.web import base_url
from config.settings import Settings

# The demo data has these keys in every installation, so that the documented examples work as they stand.
DEMO_KEYS = {
    "dtc-newsletter": "dm_dtcnews_demo_newsletter_import_export_key",
    "dtc-courses": "dm_dtccourses_demo_transactional_email_key",
    "asl-platform": "dm_aslplatform_demo_transactional_email_key",
}

NAMES = 12


class Terminal(Console):
    """A console whose reader may go away: what runs does not depend on being watched."""

    def on_broken_pipe(self) -> None:
        """Say nothing from now on, where rich would end the process."""
        self.quiet = True


class Screen:
    """Where a person looks."""

    def __init__(self, terminal: Console | None = None) -> None:
        self._console = terminal or Terminal(highlight=False)

    def say(self, line: str) -> None:
        """Show one line with the time."""
        self._print(Text.assemble((time.strftime("%H:%M:%S "), "dim"), line))

    def fail(self, message: str) -> None:
        """Show why the stack did not start."""
        self._print(Text.assemble(("Datamailer did not start: ", "bold red"), message))

    def stopped(self) -> None:
        """Show that nothing runs any more."""
        self._print(Text("Stopped."))

    def ready(self, supervisor: Supervisor, servers: Servers, seconds: float) -> None:
        """Show how to reach the service, whom one can be, how consumers follow the log, and where everything is."""
        self._print(Text.assemble(("\nDatamailer runs", "bold green"), f" (started in {seconds:.1f} s)\n"))
        for name, value in rows(supervisor.settings, servers, inbox=supervisor.has("ses")):
            self._print(Text.assemble((f"  {name:<{NAMES}}", "bold"), value))
        self._print(Text())
        if supervisor.not_ready:
            self._print(Text(f"  It says that it is not ready: {supervisor.not_ready}\n", "bold red"))

    def _print(self, text: Text) -> None:
        with contextlib.suppress(OSError):
            self._console.print(text, soft_wrap=True)


def rows(settings: Settings, servers: Servers, *, inbox: bool) -> Iterator[tuple[str, str]]:
    """Give the lines of the screen as names and values."""
    url = base_url(settings.host, settings.port)
    yield "API", f"{url}   documentation: {url}/docs"
    if inbox:
        yield "Inbox", f"{base_url(LOOPBACK, settings.local_ses_port)}   what would have been mailed"
    yield "Events", following(servers)
    if settings.demo:
        for number, (client, key) in enumerate(DEMO_KEYS.items()):
            yield "Demo keys" if number == 0 else "", f"{key}   {client}"
    yield "Operator", f"key in {settings.data_dir / 'operator.key'}"
    yield "Database", servers.postgres.conninfo()
    yield "Data", f"{settings.data_dir}   logs in {settings.data_dir / 'logs'}"
    if servers.postgres.home.parent != settings.data_dir:
        yield "", f"the database is in {servers.postgres.home}, where PostgreSQL's user can reach it"
    yield "Stop", "Ctrl-C"


def following(servers: Servers) -> str:
    """Say how consumers follow the log."""
    if servers.kafka is not None:
        return f"consumers follow Apache Kafka {servers.kafka.version} at {servers.kafka.bootstrap}"
    return f"consumers follow the log directly (no Apache Kafka: {servers.why_no_kafka})"
