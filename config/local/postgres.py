"""PostgreSQL for one machine: a cluster made on the first start, its server run as a child, reached by a socket."""

import contextlib
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg

from config.local.binaries import postgres_binaries
from config.local.leftovers import end_leftovers
from config.local.owner import Owner
from config.local.place import make_private, postgres_home, socket_folder
from config.local.program import Program, StartError

NAME = "datamailer"
LONGEST_SOCKET_FOLDER = 88  # the path of a socket has 104 bytes at most on some systems, `/.s.PGSQL.5432` among them
START_SECONDS = 60.0

SETTINGS = {
    "listen_addresses": "",
    "port": "5432",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "256MB",
    "effective_cache_size": "1GB",
    "work_mem": "16MB",
    "maintenance_work_mem": "128MB",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "checkpoint_timeout": "15min",
    "random_page_cost": "1.1",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Neither statements nor the values that violate a constraint stand in the log: they may be personal data.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
FORGETFUL = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}


class Postgres:
    """One PostgreSQL server whose cluster is in `folder`, or near it where the server's user can reach.

    `durable=False` is for data that need not survive the machine: it turns fsync off.
    """

    def __init__(self, folder: Path, log: Path, *, durable: bool = True) -> None:
        self._log = log
        self._durable = durable
        self.home = postgres_home(folder)
        self._owner = Owner.of(self.home) if self.home.exists() else Owner.unprivileged()
        self._cluster = self.home / "cluster"
        self._sockets = self.home
        self._binaries = postgres_binaries(self._owner)

    @property
    def fresh(self) -> bool:
        """Whether there is no cluster yet."""
        return not (self._cluster / "PG_VERSION").exists()

    def conninfo(self, database: str = NAME) -> str:
        """Return the connection string of a database; it holds from one start to the next."""
        return f"postgresql://{NAME}@/{database}?host={quote(str(self._sockets), safe='')}&port={SETTINGS['port']}"

    def prepare(self) -> Program:
        """Make what the first start needs, clear away what a killed server left, and return the server to start."""
        make_private(self.home, self._owner)
        self._check_owner()
        if self.fresh:
            self._make_cluster()
        end_leftovers(self._cluster, self.home)
        if len(os.fsencode(self.home)) > LONGEST_SOCKET_FOLDER:
            self._sockets = socket_folder(self._owner)
        return self._program("postgres", ["postgres", "-D", str(self._cluster), *self._options()])

    def ready(self) -> bool:
        """Tell whether the server accepts connections; the first time, make the service's database."""
        if not self._open():
            return False
        with contextlib.suppress(psycopg.OperationalError):
            with psycopg.connect(self.conninfo("postgres"), autocommit=True) as connection:
                known = connection.execute("SELECT FROM pg_database WHERE datname = 'datamailer'").rowcount
                if not known:
                    connection.execute("CREATE DATABASE datamailer")
            return True
        return False

    def clean_up(self) -> None:
        """Remove what is of no use once the server has stopped."""
        if self._sockets != self.home:
            shutil.rmtree(self._sockets, ignore_errors=True)

    @contextlib.contextmanager
    def running(self) -> Iterator["Postgres"]:
        """Run the server for the length of a `with` block."""
        server = self.prepare()
        server.start()
        try:
            server.wait_until(self.ready, START_SECONDS)
            yield self
        finally:
            server.stop()
            self.clean_up()

    def _open(self) -> bool:
        """Tell whether the server has written into its lock file that it is ready."""
        with contextlib.suppress(FileNotFoundError):
            return (self._cluster / "postmaster.pid").read_text().rstrip().endswith("ready")
        return False

    def _check_owner(self) -> None:
        holder = self.home.stat().st_uid
        if self._owner is None and holder != os.geteuid():
            raise StartError(
                f"{self.home} belongs to another user: start as that user or as root, or choose a DATA_DIR"
            )
        if self._owner is not None and not self._owner.reaches(self.home):
            raise StartError(f"{self.home} cannot be reached by the user of PostgreSQL: choose another DATA_DIR")

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and move it there when it is whole: a start can be killed at any moment."""
        unfinished = self.home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        options = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--no-instructions"]
        locale = ["--locale", "C", "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8"]
        sync = [] if self._durable else ["--no-sync"]
        command = ["initdb", "-D", str(unfinished), *options, *locale, *sync]
        try:
            self._program("initdb", command).run()
        except StartError:
            # One that a killed start left behind may have been cleaning up after itself, in the same folder.
            shutil.rmtree(unfinished, ignore_errors=True)
            self._program("initdb", command).run()
        unfinished.rename(self._cluster)

    def _options(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self._sockets)} | ({} if self._durable else FORGETFUL)
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _program(self, name: str, command: list[str]) -> Program:
        return Program(
            name=name,
            command=[str(self._binaries / command[0]), *command[1:]],
            log=self._log,
            environ={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            owner=self._owner,
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
        )
