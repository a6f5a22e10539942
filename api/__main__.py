"""Runs the API: ``python -m api``, on the settings' host and port, until SIGTERM."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
from contextlib import suppress

import psycopg
import uvicorn
from eventsourcing.persistence import PersistenceError

from api.app import application
from api.application import Application
from config.logging import configure_logging
from config.one_write import Protocol
from config.settings import BadSettingsError, Settings
from domain.store.keyring import WrongMasterKey

log = logging.getLogger("api")

FAILED = 1
MISUSED = 2

GRACE_SECONDS = 10
KEEP_ALIVE_SECONDS = 30


class Server(uvicorn.Server):
    """Uvicorn, which sets aside what was made at start, so that the garbage collector never walks it again."""

    def __init__(self, application: Application, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.application = application

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then freeze."""
        await super().startup(sockets)
        gc.collect()
        gc.freeze()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop, streams without an end first: the others are waited for."""
        self.application.end_streams()
        await super().shutdown(sockets)


def server(settings: Settings) -> Server:
    """The server over the settings' database. Raises what the store raises when it cannot be reached."""
    app = application(settings)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    return Server(app, config)


def main() -> int:
    """Serve until stopped; give the exit status."""
    try:
        settings = Settings.read()
    except BadSettingsError as error:
        sys.stderr.writelines(f"{problem}\n" for problem in error.problems)
        return MISUSED
    configure_logging(settings.log_level)
    # Uvicorn stops in order and then raises the signal once more, for whoever had it before: a stop is no failure.
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
    try:
        with suppress(KeyboardInterrupt):
            server(settings).run()
    except (psycopg.OperationalError, PersistenceError, WrongMasterKey) as error:
        log.critical("cannot start", exc_info=error)
        return FAILED
    return 0


if __name__ == "__main__":
    sys.exit(main())
