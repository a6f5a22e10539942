"""Rebuilds and verifies read models, one at a time: those that an operator asked for, and those of another version."""

from __future__ import annotations

import logging
import os
import signal
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from threading import Event as Flag
from time import monotonic
from typing import Final

from config.logging import configure_logging
from consumers.session import WAIT, Connection, connect, lead, wait
from domain.store.keyring import WrongMasterKey
from projections.rebuild.crew import end_with_leader
from projections.rebuild.database import Database
from projections.rebuild.journal import Purpose
from projections.rebuild.rebuilding import read_model, rebuild, verify
from projections.rebuild.refusals import RebuildError, StoppedError
from projections.rebuild.request import CHANNEL, Request, clear_abandoned, due
from projections.rebuild.stopping import on_signals

NAME: Final = "datamailer.rebuilder"
RETRY_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.2
PATIENCE_SECONDS: Final = 5.0
"""For a rebuild to stop in order; supervisors give ten seconds for all of it."""

NICENESS: Final = 10
"""Commands and consumers on the same machine come first."""

log = logging.getLogger(__name__)


class Rebuilder:
    """Works in processes of its own, so that nothing else in this one waits for it."""

    def __init__(self, database: Database, level: str) -> None:
        self._database = database
        self._level = level
        self._not_before: dict[str, float] = {}

    def session(self, stop: Flag) -> None:
        """Follow until stopped. Raises psycopg's OperationalError."""
        with connect(self._database.conninfo, NAME) as connection:
            if not lead(connection, NAME, stop):
                return
            connection.execute(f"LISTEN {CHANNEL}")
            while not stop.is_set():
                request = self._next(connection)
                if request:
                    self._carry_out(request, stop)
                else:
                    wait(connection, WAIT)

    def _next(self, connection: Connection) -> Request | None:
        clear_abandoned(connection)
        now = monotonic()
        return next((r for r in due(connection) if self._not_before.get(r.projection.name, now) <= now), None)

    def _carry_out(self, request: Request, stop: Flag) -> None:
        """Do it in another process. What is stopped or fails is gone on with: at the next start, or after a while."""
        name = request.projection.name
        arguments = (self._database, name, request.purpose, self._level)
        process = get_context("spawn").Process(target=carry_out, args=arguments, daemon=True)
        process.start()
        while process.is_alive():
            process.join(LOOK_SECONDS)
            if stop.is_set():
                end(process)
        if process.exitcode:
            self._not_before[name] = monotonic() + RETRY_SECONDS


def end(process: BaseProcess) -> None:
    """Have it stop, in order if it can."""
    process.terminate()
    process.join(PATIENCE_SECONDS)
    process.kill()


def carry_out(database: Database, name: str, purpose: Purpose, level: str) -> None:
    """Rebuild or verify a model; the whole life of a process. Exits with 1 when it could not be done."""
    end_with_leader()
    os.nice(NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    configure_logging(level)
    said = {"projection": name, "purpose": purpose}
    log.info("rebuild begins", extra=said)
    try:
        with on_signals() as stop:
            comparison = (rebuild if purpose == "rebuild" else verify)(database, read_model(name), stop=stop)
    except StoppedError:
        log.info("rebuild stopped", extra=said)
        raise SystemExit(1) from None
    except (RebuildError, WrongMasterKey) as error:
        log.error("rebuild failed", extra={**said, "error": str(error)})  # noqa: TRY400 - its words are the whole of it
        raise SystemExit(1) from None
    except Exception:
        log.exception("rebuild broke off", extra=said)
        raise SystemExit(1) from None
    log.info("rebuild done", extra={**said, "differences": comparison is not None and not comparison.equal})
