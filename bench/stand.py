"""What rows are measured on: a running stack, the load client, and data that several rows share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, LiteralString

import msgspec
import psycopg

from api.directory import loaded
from bench import processes
from bench.load.job import Job, Report
from bench.load.process import run
from bench.row import RowFailed
from bench.scopes import scope
from bench.stack import SENDER, Stack
from domain.store.log import Store
from domain.store.order import Accepted, Order
from projections.checkpoint import lags

SETTLE_SECONDS = 300.0
TICK = 0.005
CHUNK = 2_000


class Scale(msgspec.Struct, frozen=True):
    """How much: ``requests`` and ``seconds`` bound one HTTP run, ``probes`` is how many exchanges are timed one by one,
    ``rows`` the size of files, ``contacts`` that of the largest read model, ``recipients`` that of campaigns,
    ``history`` are the events of a log to rebuild from, ``events`` those of the large log.
    """

    runs: int
    requests: int
    seconds: float
    probes: int
    rows: int
    contacts: int
    recipients: int
    history: int
    events: int


FULL = Scale(
    runs=3,
    requests=20_000,
    seconds=6.0,
    probes=500,
    rows=100_000,
    contacts=1_000_000,
    recipients=120_000,
    history=1_000_000,
    events=10_000_000,
)
QUICK = Scale(
    runs=1,
    requests=400,
    seconds=2.0,
    probes=60,
    rows=2_000,
    contacts=20_000,
    recipients=2_400,
    history=10_000,
    events=0,
)


class Stand:
    """One for each start of the stack. ``made`` keeps what rows made, by name, over all starts on the same data."""

    def __init__(self, stack: Stack, scale: Scale, made: dict[str, Any]) -> None:
        self.stack = stack
        self.scale = scale
        self.store = Store(stack.conninfo, stack.master_key)
        self.connection = psycopg.connect(stack.conninfo, autocommit=True)
        directory = loaded(self.store)
        self.commands = scope(directory, "dtc-courses", "dtc-courses")
        self.imports = scope(directory, "datatalks-club", "dtc-newsletter")
        self.pages = scope(directory, "ai-shipping-labs", "asl-platform")
        self._made = made

    def close(self) -> None:
        """Let go of the database."""
        self.connection.close()
        self.store.close()

    def once(self, name: str, make: Callable[[], Any]) -> Any:
        """What ``make`` gives, made once for all rows."""
        if name not in self._made:
            self._made[name] = make()
        return self._made[name]

    def load(self, requests: Sequence[bytes], **how: Any) -> Report:
        """Send requests to the API. Raises RowFailed unless every answer was 2xx."""
        job = Job(port=self.stack.port, requests=list(requests), **{"seconds": self.scale.seconds, **how})
        return clean(run(job))

    def carry_out(self, orders: Sequence[Order]) -> list[Accepted]:
        """Put orders to the store, in this process. Raises RowFailed unless all are accepted."""
        accepted: list[Accepted] = []
        for start in range(0, len(orders), CHUNK):
            for outcome in self.store.handle(*orders[start : start + CHUNK]):
                if not isinstance(outcome, Accepted):
                    raise RowFailed(f"the store answered {outcome}")
                accepted.append(outcome)
        return accepted

    def ask(self, sql: LiteralString, *parameters: object) -> int:
        """The one number that a query gives."""
        row = self.connection.execute(sql, parameters).fetchone()
        return int(row[0]) if row else 0

    def behind(self) -> int:
        """How many events the follower that is furthest behind lacks."""
        return max((lag.events for lag in lags(self.connection)), default=0)

    def settle(self) -> None:
        """Wait until consumers have all of the log. Raises RowFailed."""
        deadline = time.monotonic() + SETTLE_SECONDS
        while behind := self.behind():
            if time.monotonic() > deadline:
                raise RowFailed(f"the consumers are {behind} events behind and do not catch up")
            time.sleep(TICK)

    @contextmanager
    def accounting(self, notes: list[str]) -> Iterator[Callable[[int], None]]:
        """Note where processor time went. Call what this gives with how many things were done."""
        names = ("api", "consumers", SENDER, "ses", "postgres", "kafka")
        pids = {name: pid for name in names if (pid := self.stack.pid(name))}
        before = {name: processes.cpu_seconds(pid) for name, pid in pids.items()}

        def account(done: int) -> None:
            used = {name: processes.cpu_seconds(pid) - before[name] for name, pid in pids.items()}
            each = ", ".join(f"{name} {seconds / max(done, 1) * 1e6:,.0f}" for name, seconds in used.items())
            notes.append(f"processor time each, µs: {each}; consumers {self.behind():,} events behind at the end")

        yield account


def clean(report: Report) -> Report:
    """The report. Raises RowFailed when it counts a failure."""
    if report.bad or not report.good:
        raise RowFailed(f"{report.bad} of {report.good + report.bad} answers failed: {report.first_bad!r}")
    return report
