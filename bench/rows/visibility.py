"""From a command to a read that shows it: both over HTTP, the read waiting with ``Datamailer-Min-Position``."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial

from bench.load.job import Job
from bench.load.process import loading
from bench.people import TAGS, email
from bench.requests import get, post
from bench.row import Feed, Figure, Row, Sample, at_most
from bench.stand import Stand, clean

P50, P99 = "p50", "p99"
PROBES = 50.0
"""Exchanges per second that are timed."""


def upserts(stand: Stand, group: str, count: int) -> list[bytes]:
    """New contacts."""
    said = {"status": "subscribed", "tags": TAGS}
    return [post(stand.commands, "/api/contacts", {"email": email(group, n), **said}) for n in range(count)]


def measure(stand: Stand, run: int, *, others: float) -> Sample:
    """Time exchanges while so many other commands per second go on."""
    seconds = stand.scale.probes / PROBES
    group = f"visible-{stand.stack.feed}-{others:.0f}-{run}"
    read = get(stand.commands, "/api/contacts", {"limit": 1}).replace(b"%", b"%%")
    follow = read[:-2] + b"Datamailer-Min-Position: %d\r\n\r\n"
    probes = upserts(stand, group, stand.scale.probes)
    with ExitStack() as ending:
        if others:
            requests = upserts(stand, f"{group}-others", int(others * seconds * 2))
            job = Job(port=stand.stack.port, requests=requests, connections=16, rate=others, seconds=seconds * 2)
            background = ending.enter_context(loading(job))
        report = stand.load(probes, connections=16, rate=PROBES, seconds=seconds * 2, follow=follow)
        if others:
            clean(background.report(stop=True))
    return Sample({P50: report.p50, P99: report.p99}, notes=[f"{report.good} exchanges, worst {report.worst:.0f} ms"])


def row(feed: Feed, rate: int, p50: float) -> Row:
    """A row for a feed and a number of commands per second."""
    title = f"command to visible at {rate} commands/s, {'through Kafka' if feed == 'kafka' else 'direct feed'}"
    return Row(
        name=f"visible-{feed}-{rate}",
        title=title,
        figures=(Figure(P50, "ms", at_most(p50)), Figure(P99, "ms", at_most(150))),
        feed=feed,
        measure=partial(measure, others=rate - PROBES),
    )


ROWS = (row("direct", 50, 15), row("direct", 500, 15), row("kafka", 50, 40), row("kafka", 500, 40))
