"""Imports of CSV files, with single commands going on meanwhile."""

from __future__ import annotations

import re
import time
from functools import partial

from bench import processes
from bench.limits import RAW_COPY, raw_copy
from bench.load.job import Job
from bench.load.process import loading
from bench.people import TAGS, csv_file, email
from bench.requests import post
from bench.row import Figure, Goal, Row, RowFailed, Sample, at_least, at_most
from bench.stand import Stand, clean
from bench.transfer import post_form

PATH = "/api/contacts/imports/csv"
RATE, PEAK, GROWTH, P99 = "rows", "peak memory of the API", "memory growth", "p99 of single commands"
MEANWHILE = 100.0
"""Single commands per second that go on beside an import."""
LONGEST = 120
HEAD = "SELECT coalesce(max(notification_id), 0) FROM log"
IMPORTED = "SELECT count(*) FROM log WHERE notification_id > %s AND source = 'import'"


def upload(stand: Stand, group: str, action: str) -> float:
    """Import a file of the group's contacts; gives the seconds. Raises RowFailed unless all came to ``action``."""
    rows = stand.scale.rows
    file = csv_file(group, rows)
    began = time.perf_counter()
    said = post_form(stand, stand.imports, PATH, file)
    seconds = time.perf_counter() - began
    count = re.search(rb'"%s":(\d+)' % action.encode(), said)
    if count is None or int(count[1]) != rows:
        raise RowFailed(f"not all {rows} rows were {action}: {said[:300]!r}")
    return seconds


def population(stand: Stand) -> str:
    """The group of contacts that an import has brought; imported when first asked for."""

    def make() -> str:
        upload(stand, "member", "created")
        return "member"

    return str(stand.once("population", make))


def populate(stand: Stand) -> None:
    """Have the population there, in the read models too."""
    population(stand)
    stand.settle()


def singles(stand: Stand, group: str) -> Job:
    """Upserts of new contacts, at even times."""
    requests = [
        post(stand.commands, "/api/contacts", {"email": email(f"meanwhile-{group}", n), "tags": TAGS})
        for n in range(int(MEANWHILE) * LONGEST)
    ]
    return Job(port=stand.stack.port, requests=requests, connections=8, rate=MEANWHILE, seconds=LONGEST)


def measure(stand: Stand, run: int, *, action: str) -> Sample:
    """One upload."""
    group = f"import-{run}" if action == "created" else population(stand)
    api, notes = stand.stack.pid("api"), list[str]()
    head = stand.ask(HEAD)
    processes.reset_peak(api)
    before = processes.memory(api)
    with loading(singles(stand, f"{action}-{run}")) as meanwhile, stand.accounting(notes) as account:
        seconds = upload(stand, group, action)
        account(stand.scale.rows)
        report = clean(meanwhile.report(stop=True))
    peak = processes.memory(api, "VmHWM")
    limits = {}
    if events := stand.ask(IMPORTED, head):
        limits[RATE] = raw_copy(stand.connection, events) * stand.scale.rows / events
        notes.append(f"{events / stand.scale.rows:.1f} events a row; {report.good} single commands meanwhile")
    values = {RATE: stand.scale.rows / seconds, PEAK: peak, GROWTH: peak - before, P99: report.p99}
    return Sample(values, limits, notes)


def row(name: str, title: str, action: str, goal: Goal) -> Row:
    """A row of rows per second, memory and others' latency."""
    figures = (
        Figure(RATE, "rows/s", goal, f"{RAW_COPY} of their events"),
        Figure(PEAK, "MB"),
        Figure(GROWTH, "MB", at_most(50)),
        Figure(P99, "ms", at_most(200)),
    )
    prepare = None if action == "created" else populate
    return Row(name=name, title=title, figures=figures, measure=partial(measure, action=action), prepare=prepare)


ROWS = (
    row("import-new", "CSV import of 5 columns, new contacts", "created", at_least(20_000)),
    row("import-unchanged", "CSV import of 5 columns, nothing changes", "unchanged", at_least(40_000)),
)
