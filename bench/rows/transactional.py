"""Transactional mail over HTTP: how many requests a second, how fast they become mail, and how long one takes."""

from __future__ import annotations

import time
from typing import Final

from bench.load.job import percentile
from bench.mailing import delivered, reset_of, save_reset, until
from bench.people import email
from bench.requests import post
from bench.row import Figure, Row, Sample, at_most
from bench.rows.campaigns import ENDLESS
from bench.stand import Stand

REQUESTS, MAILS, P50, P99 = "requests", "mails in the inbox", "request to inbox, p50", "request to inbox, p99"
EVERY: Final = 0.05
"""Seconds from one timed request to the next."""
TIMED: Final = 200
LONGEST: Final = 600.0


def prepare(stand: Stand) -> None:
    """Have a template."""
    save_reset(stand.stack.port, stand.commands)


def measure(stand: Stand, run: int) -> Sample:
    """First as many as the API takes, then one after the other."""
    stack, scope = stand.stack, stand.commands
    stack.ses.empty()
    stack.ses.set_faults(**ENDLESS)
    notes: list[str] = []
    addresses = [email(f"flood-{run}", n) for n in range(stand.scale.requests)]
    requests = [post(scope, "/api/transactional/send", reset_of(address)) for address in addresses]
    with stand.accounting(notes) as account:
        began = time.perf_counter()
        report = stand.load(requests)
        until(lambda: stack.ses.count() >= report.good, "the mail", LONGEST)
        ended = time.perf_counter()
        account(report.good)
    stand.settle()
    seconds = sorted(timed(stand, run, min(TIMED, stand.scale.probes)))
    values = {
        REQUESTS: report.per_second,
        MAILS: report.good / (ended - began),
        P50: percentile(seconds, 0.5) * 1000,
        P99: percentile(seconds, 0.99) * 1000,
    }
    return Sample(values, notes=[*notes, f"{len(seconds)} timed, one every {EVERY * 1000:.0f} ms at most"])


def timed(stand: Stand, run: int, count: int) -> list[float]:
    """Seconds from request to inbox of so many mails, each to somebody new."""
    found: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        found.append(delivered(stand.stack.port, stand.stack.ses, stand.commands, email(f"timed-{run}", number)))
        time.sleep(max(0.0, EVERY - (time.perf_counter() - began)))
    return found


ROWS = (
    Row(
        name="transactional",
        title="transactional mail to new contacts, over HTTP",
        figures=(Figure(REQUESTS, "/s"), Figure(MAILS, "/s"), Figure(P50, "ms"), Figure(P99, "ms", at_most(1_000))),
        measure=measure,
        prepare=prepare,
    ),
)
