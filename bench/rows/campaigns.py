"""Campaigns: the snapshot, the sending with transactional mail in the middle of it, bulk calls and single ones."""

from __future__ import annotations

import time
from functools import partial
from typing import Final

import psycopg

from bench import processes
from bench.mailing import TICK, delivered, draft, is_settled, queue, save_reset, subscribers, until
from bench.people import email
from bench.row import Figure, Goal, Row, RowFailed, Sample, at_least, at_most
from bench.stack import SENDER
from bench.stand import Stand
from domain import campaign

SNAPSHOT, RATE, MIDDLE = "snapshot", "messages", "transactional mail in the middle of it, slowest"
PEAK, GROWTH = "peak memory of the sender", "memory growth"
LONGEST: Final = 600.0
TIMES: Final = 9
"""Transactional mails asked for on the way, evenly over the campaign, if they come that fast."""
ENDLESS: Final = {"max_send_rate": 1e7, "max_24_hour_send": -1.0, "auto_events": []}
"""What the local SES allows: all that comes, at once, and it tells nothing."""


def begun(stand: Stand, campaign_id: int) -> bool:
    """Whether the campaign's snapshot is taken."""
    [found] = stand.store.load(campaign.decider, numbers=[campaign_id])
    return found.state.recipient_count is not None


def settled(stand: Stand, campaign_id: int) -> None:
    """Wait until all of the campaign's mail is settled, and the read models have it."""
    with psycopg.connect(stand.stack.conninfo, autocommit=True) as connection:
        until(lambda: is_settled(connection, stand.store, campaign_id), "the ledger", LONGEST)
    stand.settle()


def prepare(stand: Stand) -> None:
    """Have everybody there, and a template."""

    def make() -> bool:
        scope = stand.commands
        subscribers(stand.store, scope, "bench-all", stand.scale.recipients)
        save_reset(stand.stack.port, scope)
        return True

    stand.once("bench-all", make)
    stand.settle()


def measure(stand: Stand, run: int, *, single: bool) -> Sample:
    """One campaign to everybody."""
    stand.stack.ses.empty()
    stand.stack.ses.set_faults(**ENDLESS)
    group = f"bench-{'single' if single else 'bulk'}-{run}"
    campaign_id = draft(stand.stack.port, stand.commands, group, "bench-all", single=single)
    sender, notes = stand.stack.pid(SENDER), list[str]()
    processes.reset_peak(sender)
    before = processes.memory(sender)
    with stand.accounting(notes) as account:
        queued, began, ended, resets = course(stand, group, campaign_id)
        account(stand.scale.recipients)
    settled(stand, campaign_id)
    peak = processes.memory(sender, "VmHWM")
    after = time.perf_counter() - ended
    notes.append(f"{len(resets)} transactional mails meanwhile; all is settled and shown {after:.1f} s after the last")
    return Sample(
        {
            SNAPSHOT: began - queued,
            RATE: stand.scale.recipients / (ended - began),
            MIDDLE: max(resets) * 1000,
            PEAK: peak,
            GROWTH: peak - before,
        },
        notes=notes,
    )


def course(stand: Stand, group: str, campaign_id: int) -> tuple[float, float, float, list[float]]:
    """Queue it and wait for its mail: when it was queued, begun and ended, and what :func:`sent` gives."""
    queued = time.perf_counter()
    queue(stand.stack.port, stand.commands, group)
    until(lambda: begun(stand, campaign_id), "the snapshot", LONGEST)
    began = time.perf_counter()
    resets = sent(stand, group)
    return queued, began, time.perf_counter(), resets


def sent(stand: Stand, group: str) -> list[float]:
    """Wait for all of the campaign's mail; gives how long transactional mails took that were asked for on the way."""

    def reset() -> float:
        address = email(f"reset-{group}", len(resets))
        return delivered(stand.stack.port, ses, stand.commands, address)

    resets: list[float] = []
    ses, deadline = stand.stack.ses, time.perf_counter() + LONGEST
    while (there := ses.count()) < stand.scale.recipients + len(resets):
        if time.perf_counter() > deadline:
            raise RowFailed(f"{there} mails came in {LONGEST:.0f} s")
        if there > stand.scale.recipients * (len(resets) + 1) / (TIMES + 1):
            resets.append(reset())
        time.sleep(TICK)
    return resets or [reset()]


def row(name: str, title: str, rate: Goal, *, single: bool) -> Row:
    """A row of a campaign's figures."""
    figures = (
        Figure(SNAPSHOT, "s", at_most(4)),
        Figure(RATE, "/s", rate),
        Figure(MIDDLE, "ms", at_most(1_000)),
        Figure(PEAK, "MB"),
        Figure(GROWTH, "MB", at_most(50)),
    )
    return Row(name=name, title=title, figures=figures, measure=partial(measure, single=single), prepare=prepare)


ROWS = (
    row("campaign-bulk", "campaign in calls of 50 recipients", at_least(5_000), single=False),
    row("campaign-single", "campaign in calls of one recipient", at_least(1_500), single=True),
)
