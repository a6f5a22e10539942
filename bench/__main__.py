"""``python -m bench``: starts a stack of its own, measures every row and prints the table."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from msgspec.structs import replace

from bench.beside import beside
from bench.catalog import ROWS, chosen
from bench.history.databases import PREPARED, prepare
from bench.machine import Machine, machine
from bench.measuring import Result, measured
from bench.row import Feed, Log, Row, RowFailed
from bench.stack import SENDER, Stack, share_cache
from bench.stand import FULL, QUICK, Scale, Stand
from bench.table import rendered, summary
from config.local.plan import Arguments
from config.local.program import StartError

FEEDS: tuple[Feed, ...] = ("direct", "kafka")
LOGS: tuple[Log, ...] = ("small", "large")


class Document(msgspec.Struct, frozen=True):
    """What ``--json`` writes."""

    at: datetime
    machine: Machine | None
    scale: Scale
    results: list[Result]


def main(words: Sequence[str]) -> int:
    """Measure what is asked for; return 1 when a row failed, 130 when interrupted. Missed goals are no failure."""
    options = parsed(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    scale = QUICK if options.quick else FULL
    bench = Bench(scale if options.events is None else replace(scale, events=options.events), options.profile)
    try:
        rows = chosen(options.only.split(",") if options.only else [])
        rows = [row for row in rows if options.log in (None, row.log)]
        bench.earlier = results_in(options.beside) if options.beside else []
    except KeyError as error:
        say(f"there is no row {error}; there are: {', '.join(row.name for row in ROWS)}")
        return 2
    except (OSError, msgspec.MsgspecError) as error:
        say(f"{options.beside}: {error}")
        return 2
    if not completed(bench, rows):
        return 130
    if options.json:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(bench.document()), indent=2))
    return int(any(result.failed for result in bench.results))


def completed(bench: Bench, rows: Sequence[Row]) -> bool:
    """Measure the rows and show them, as far as that went; False when interrupted."""
    try:
        bench.run(rows)
    except KeyboardInterrupt:
        say("interrupted")
        return False
    finally:
        bench.show()
    return True


def parsed(words: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measure Datamailer against its goals.")
    parser.add_argument("--quick", action="store_true", help="small counts, one run: does it work at all?")
    parser.add_argument("--only", metavar="NAME,...", help="only these rows")
    parser.add_argument("--log", choices=LOGS, help="only rows on the small logs, or on the large one (-10m)")
    parser.add_argument(
        "--events", metavar="N", type=int, help="so many in the large log; 0, as with --quick, leaves the rows -10m out"
    )
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures of every run there too")
    parser.add_argument(
        "--beside", metavar="FILE", type=Path, help="figures of an earlier run, for the rows -10m to be compared with"
    )
    parser.add_argument("--profile", choices=("api", "consumers", SENDER), help="run that service under cProfile")
    return parser.parse_args(words)


def results_in(file: Path) -> list[Result]:
    """The results that an earlier run wrote. Raises OSError, msgspec's MsgspecError."""
    return msgspec.json.decode(file.read_bytes(), type=Document).results


class Bench:
    """One run of the bench: a stack for each log and feed in turn; those of a log stand on the same data."""

    def __init__(self, scale: Scale, profile: str | None) -> None:
        self.earlier: list[Result] = []
        self.results: list[Result] = []
        self._scale = scale
        self._profile = profile
        self._load = os.getloadavg()[0]
        self._machine: Machine | None = None
        self._made: dict[str, Any] = {}

    def run(self, rows: Sequence[Row]) -> None:
        """Measure the rows, log by log and feed by feed."""
        for log in LOGS if self._scale.events else LOGS[:1]:
            of_log = [row for row in rows if row.log == log]
            if of_log:
                self._made = {}
                with data_folder() as folder:
                    self._run_feeds(of_log, log, folder)

    def _run_feeds(self, rows: Sequence[Row], log: Log, folder: Path) -> None:
        for feed in FEEDS:
            of_feed = [row for row in rows if row.feed == feed]
            if not of_feed:
                continue
            try:
                self._run(of_feed, log, feed, folder)
            except (StartError, RowFailed, psycopg.Error) as error:
                say(f"the stack: {error}")
                why = f"the stack: {str(error).splitlines()[0]}"
                done = {result.name for result in self.results}
                left = (row for row in of_feed if row.name not in done)
                self.results.extend(Result(row.name, row.title, row.feed, [], failed=why) for row in left)

    def _run(self, rows: Sequence[Row], log: Log, feed: Feed, folder: Path) -> None:
        say(f"starting the stack, {log} log, {feed} feed")
        profile = folder / f"profile-{feed}.txt"

        def wrap(name: str, arguments: Arguments) -> Arguments:
            return ("-m", "bench.profiled", str(profile), *arguments[1:]) if name == self._profile else arguments

        def ready(stack: Stack) -> None:
            if log == "large" and PREPARED not in self._made:
                self._made[PREPARED] = prepare(stack, self._scale.events, say)

        with Stack(folder, feed, say, wrap=wrap, prepare=ready).running() as stack:
            kafka = stack.servers.kafka
            broker = f"Apache Kafka {kafka.version}" if kafka else "no Kafka"
            self._machine = machine(stack.conninfo, broker, self._load)
            with closing(Stand(stack, self._scale, self._made)) as stand:
                for row in rows:
                    began = time.monotonic()
                    result = measured(row, stand, self._scale.runs)
                    self.results.append(beside(result, self._known(row.beside)))
                    say(f"{row.name}: {time.monotonic() - began:.0f} s")
        if self._profile and profile.exists():
            print(profile.read_text())

    def _known(self, name: str) -> Result | None:
        """The result of a row, of this run or of an earlier one."""
        return next((result for result in (*self.results, *self.earlier) if result.name == name), None)

    def show(self) -> None:
        """Print the table."""
        if self.results:
            print(f"\n{self._machine}\n\n{rendered(self.results)}\n\n{summary(self.results)}")

    def document(self) -> Document:
        """Everything, for a machine to read."""
        return Document(datetime.now(UTC), self._machine, self._scale, self.results)


@contextmanager
def data_folder() -> Iterator[Path]:
    """A data directory that goes with the bench; PostgreSQL's user may pass through it."""
    with tempfile.TemporaryDirectory(prefix="datamailer-bench-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o711)
        folder = Path(name) / "data"
        folder.mkdir(mode=0o711)
        share_cache(folder)
        yield folder


def say(line: str) -> None:
    """Tell the terminal how it goes."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
