"""Commands about read models: how far they are, rebuild, verify, try again."""

from __future__ import annotations

import base64
from argparse import Namespace
from collections.abc import Callable
from functools import partial

import psycopg

from api.cli_output import CommandError, say, table
from api.cli_progress import shown
from config.settings import Settings
from projections import checkpoint
from projections.projection import Projection
from projections.rebuild.database import Database
from projections.rebuild.difference import Comparison, Difference
from projections.rebuild.progress import Watch
from projections.rebuild.rebuilding import read_model, rebuild, verify
from projections.rebuild.refusals import RebuildError, StoppedError
from projections.rebuild.status import Status, statuses
from projections.rebuild.stopping import Stop, on_signals
from projections.schema import read_models

EVERYTHING = "all"
MOST_PROCESSES = 64


def status(settings: Settings, _: Namespace) -> None:
    """Show every read model."""
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        found = statuses(connection)
    heads = ("read model", "version", "position", "events behind", "seconds", "state")
    table(heads, [described(model) for model in found])


def described(model: Status) -> tuple[str, ...]:
    """A read model in a line."""
    version = str(model.version) if model.current else f"{model.live_version} (code: {model.version})"
    seconds = f"{model.lag_seconds:.1f}"
    return model.name, version, str(model.position), str(model.lag_events), seconds, state_of(model)


def state_of(model: Status) -> str:
    """What there is to say of a read model."""
    said = []
    if not model.current:
        said.append("waits for a rebuild")
    if model.parked_position is not None:
        said.append(f"parked at {model.parked_position}: {model.parked_error}")
    last = model.rebuild
    if last and last.running:
        share = f" {last.done:,} of {last.events:,}" if last.events else ""
        said.append(f"{last.purpose}: {last.stage}{share}")
    elif last and last.asked:
        said.append("asked for")
    elif last and last.error:
        said.append(f"{last.purpose} failed: {last.error}")
    elif last and last.stage not in {"done", "abandoned"}:
        how = "" if last.stage == "stopped" else f" while {last.stage}"
        said.append(f"{last.purpose} stopped{how}")
    return "; ".join(said)


def rebuild_models(settings: Settings, given: Namespace) -> None:
    """Rebuild one read model or all; Ctrl-C stops, and the next time it goes on from there. Raises CommandError."""
    carry_out = partial(rebuild, database_of(settings), processes=number_of(given.processes))

    def one(model: Projection, watch: Watch, stop: Stop) -> None:
        found = carry_out(model, watch=watch, stop=stop)
        say(f"{model.name}: rebuilt; {told(found) if found else 'there was nothing to compare it with'}")

    each(given.name, one)


def verify_models(settings: Settings, given: Namespace) -> None:
    """Compare one read model or all with the log. Raises CommandError, also when a row differs."""
    processes = number_of(given.processes)
    carry_out = partial(verify, database_of(settings), show_values=given.show_values, processes=processes)

    def one(model: Projection, watch: Watch, stop: Stop) -> None:
        found = carry_out(model, watch=watch, stop=stop)
        say(f"{model.name}: {told(found)}")
        for difference in found.first:
            say_difference(difference)
        if not found.equal:
            raise DifferentError(model.name)

    each(given.name, one)


def unpark(settings: Settings, given: Namespace) -> None:
    """Have parked read models try again. Raises CommandError."""
    models = chosen(given.name)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        freed = [model.name for model in models if checkpoint.unpark(connection, model.name)]
    if not freed:
        raise CommandError(f"{given.name}: not parked")
    say(f"{', '.join(freed)}: tries again.")


class DifferentError(RebuildError):
    """A verification found differences."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is not as the log says")


def each(name: str, one: Callable[[Projection, Watch, Stop], None]) -> None:
    """Do it for the read models of the name, the others too when one fails. Raises CommandError with what failed.

    Ctrl-C and SIGTERM stop it in order.
    """
    failed = []
    with on_signals() as stop, shown() as watch:
        for model in chosen(name):
            try:
                one(model, watch, stop)
            except StoppedError as stopped:
                raise CommandError(str(stopped)) from stopped
            except RebuildError as error:
                failed.append(str(error))
    if failed:
        raise CommandError("\n".join(failed))


def chosen(name: str) -> list[Projection]:
    """The read model of the name, or all. Raises CommandError."""
    if name == EVERYTHING:
        return list(read_models())
    try:
        return [read_model(name)]
    except RebuildError as error:
        raise CommandError(str(error)) from error


def number_of(text: str) -> int:
    """How many processes. Raises CommandError."""
    if not text:
        return 1
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= MOST_PROCESSES):
        raise CommandError(f"--processes: a number from 1 to {MOST_PROCESSES}")
    return int(text)


def database_of(settings: Settings) -> Database:
    """The settings' database."""
    return Database(settings.database_url, base64.b64encode(settings.master_key).decode())


def told(comparison: Comparison) -> str:
    """A comparison in a line."""
    rows = sum(compared.rows for compared in comparison.tables)
    differing = sum(compared.differing_rows for compared in comparison.tables)
    return f"{differing:,} of {rows:,} live rows differed from the log as of position {comparison.position:,}"


def say_difference(difference: Difference) -> None:
    """Write a difference; with values where they are there."""
    key = ", ".join(f"{column} {value}" for column, value in difference.key.items())
    columns = f" in {', '.join(difference.columns)}" if difference.columns else ""
    say(f"  {difference.table} ({key}): {difference.kind}{columns}")
    for column, (live, built) in difference.values.items():
        say(f"    {column}: {live!r}, by the log {built!r}")
