"""Single commands, and the status of a contact, over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from bench.limits import EMPTY_HANDLER, empty_handler
from bench.people import TAGS, email, regulars
from bench.requests import get, post
from bench.row import Feed, Figure, Goal, Row, Sample, at_least, at_most
from bench.stand import Stand

CONNECTIONS = 32
RATE, P50, P99 = "rate", "p50", "p99"
COMMANDS, STATUSES, LATENCY = at_least(4_000), at_least(8_000), at_most(40)

Render = Callable[[Stand, int], list[bytes]]


def upserts_new(stand: Stand, run: int) -> list[bytes]:
    """Contacts that nobody knows, with two tags each."""
    group = f"new-{stand.stack.feed}-{run}"
    fields = {"status": "subscribed", "tags": TAGS}
    return [
        post(stand.commands, "/api/contacts", {"email": email(group, n), **fields}) for n in range(stand.scale.requests)
    ]


def upserts_unchanged(stand: Stand, _: int) -> list[bytes]:
    """Contacts that are already as the request says."""
    fields = {"status": "subscribed", "tags": TAGS}
    return [post(stand.commands, "/api/contacts", {"email": address, **fields}) for _, address in regulars(stand)]


def subscribes(stand: Stand, run: int) -> list[bytes]:
    """Addresses that nobody knows."""
    group = f"subscriber-{stand.stack.feed}-{run}"
    path = "/api/subscriptions/subscribe"
    return [post(stand.commands, path, {"email": email(group, n)}) for n in range(stand.scale.requests)]


def tags(stand: Stand, run: int) -> list[bytes]:
    """A tag that the contact does not have."""
    tag = f"run-{stand.stack.feed}-{run}"
    return [post(stand.commands, f"/api/contacts/{number}/tags/{tag}", {}) for number, _ in regulars(stand)]


def statuses(stand: Stand, _: int) -> list[bytes]:
    """Contacts that are there."""
    return [get(stand.commands, "/api/contacts/status", {"email": address}) for _, address in regulars(stand)]


def measure(stand: Stand, run: int, *, render: Render, repeat: bool) -> Sample:
    """One closed loop over all connections, beside the same requests to a handler that does nothing."""
    requests = render(stand, run)
    stand.settle()
    limit = empty_handler(stand, requests, CONNECTIONS)
    notes: list[str] = []
    with stand.accounting(notes) as account:
        report = stand.load(requests, connections=CONNECTIONS, repeat=repeat)
        account(report.good)
    notes.append(f"the client's own: {report.cpu_seconds / report.good * 1e6:.0f} µs; worst {report.worst:.0f} ms")
    return Sample({RATE: report.per_second, P50: report.p50, P99: report.p99}, {RATE: limit}, notes)


def row(name: str, title: str, render: Render, goal: Goal, *, repeat: bool = False, feed: Feed = "direct") -> Row:
    """A row of requests per second and latencies."""
    latency = LATENCY if goal is COMMANDS else None
    figures = (Figure(RATE, "/s", goal, EMPTY_HANDLER), Figure(P50, "ms"), Figure(P99, "ms", latency))
    run = partial(measure, render=render, repeat=repeat)
    return Row(name=name, title=title, figures=figures, feed=feed, measure=run)


ROWS = (
    row("upsert-new", "upsert with two tags, new contacts, 32 connections", upserts_new, COMMANDS),
    row("upsert-unchanged", "upsert with two tags, nothing changes", upserts_unchanged, COMMANDS, repeat=True),
    row("subscribe", "subscribe, new contacts", subscribes, COMMANDS),
    row("tag", "tag a contact", tags, COMMANDS),
    row("status", "GET status", statuses, STATUSES, repeat=True),
    row("upsert-new-kafka", "the same upserts, consumers behind Kafka", upserts_new, COMMANDS, feed="kafka"),
    row("status-kafka", "the same GET status", statuses, STATUSES, repeat=True, feed="kafka"),
)
