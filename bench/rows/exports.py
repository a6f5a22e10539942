"""Contacts read out: the CSV export, and pages of JSON at any depth of a large read model."""

from __future__ import annotations

import time
from functools import partial
from typing import LiteralString

import msgspec

from bench import processes
from bench.limits import copied_out
from bench.people import TAGS
from bench.requests import get
from bench.row import Figure, Row, RowFailed, Sample, at_least, at_most
from bench.rows.imports import populate
from bench.stand import Stand
from bench.transfer import fetch

RATE, PEAK, GROWTH, P50, P99 = "rows", "peak memory of the API", "memory growth", "p50", "p99"
PAGE = 500
PAGES = 200
FIRST_ID = 1_000_000_000
"""Contact ids from here on are not the store's: these contacts were never in the log."""

# A read model of a million contacts takes the log minutes to make; what a page costs depends on the rows alone.
LARGE: LiteralString = """
INSERT INTO contacts (
    audience_id, client_id, contact_id, organization_id, email, created_at, validation_status, validation_reason,
    validated_by, global_unsubscribed_by, hard_bounced_by, complained_by, status, verified_at, unsubscribe_reason,
    tags, updated_at)
SELECT %s, %s, %s::bigint + n, %s, 'reader-' || n || '@example.com', now(), 'unknown', '',
    0, '{}', '{}', '{}', 'subscribed', now(), '', %s, now()
FROM generate_series(1, %s::integer) AS n
"""
RAW_EXPORT: LiteralString = """
COPY (SELECT * FROM contacts WHERE audience_id = %s AND client_id = %s ORDER BY contact_id) TO STDOUT (FORMAT csv)
"""


def measure_csv(stand: Stand, _: int) -> Sample:
    """Export a whole scope, without a limit."""
    api, scope, lines = stand.stack.pid("api"), stand.imports, list[int]()
    processes.reset_peak(api)
    before, notes = processes.memory(api), list[str]()
    began = time.perf_counter()
    with stand.accounting(notes) as account:
        fetch(stand, scope, "/api/contacts.csv", {"limit": "all"}, lambda block: lines.append(block.count(b"\n")))
        rows, seconds = sum(lines) - 1, time.perf_counter() - began
        account(rows)
    if rows < stand.scale.rows:
        raise RowFailed(f"{rows} rows came out of at least {stand.scale.rows}")
    peak = processes.memory(api, "VmHWM")
    limit = copied_out(stand.connection, RAW_EXPORT, scope.audience_id, scope.client_id)
    return Sample({RATE: rows / seconds, PEAK: peak, GROWTH: peak - before}, {RATE: limit}, notes)


def large(stand: Stand) -> None:
    """Fill the read model of a scope of its own."""

    def make() -> bool:
        scope, rows = stand.pages, stand.scale.contacts
        numbers = (scope.audience_id, scope.client_id, FIRST_ID, scope.organization_id)
        stand.connection.execute(LARGE, (*numbers, list(TAGS), rows))
        stand.connection.execute("VACUUM ANALYZE contacts")
        return True

    stand.once("large", make)


def measure_page(stand: Stand, _: int, *, depth: float) -> Sample:
    """Ask for the page after a share of all contacts, again and again."""
    cursor = FIRST_ID + int(stand.scale.contacts * depth)
    query = {"limit": PAGE, "cursor": cursor}
    blocks: list[bytes] = []
    fetch(stand, stand.pages, "/api/contacts", query, blocks.append)
    page = msgspec.json.decode(b"".join(blocks))
    if len(page["contacts"]) != PAGE or page["contacts"][0]["contact_id"] != cursor + 1:
        raise RowFailed("not the page that was asked for")
    requests = [get(stand.pages, "/api/contacts", query)] * min(PAGES, stand.scale.requests)
    report = stand.load(requests, connections=1)
    return Sample({P50: report.p50, P99: report.p99})


def page_row(name: str, title: str, depth: float) -> Row:
    """A row of latencies."""
    figures = (Figure(P50, "ms", at_most(10)), Figure(P99, "ms"))
    return Row(name=name, title=title, figures=figures, measure=partial(measure_page, depth=depth), prepare=large)


ROWS = (
    Row(
        name="export-csv",
        title="CSV export, streamed",
        figures=(
            Figure(RATE, "rows/s", at_least(100_000), "COPY TO of the same rows"),
            Figure(PEAK, "MB"),
            Figure(GROWTH, "MB", at_most(50)),
        ),
        measure=measure_csv,
        prepare=populate,
    ),
    page_row("page-start", "JSON page of 500 at the start of a large scope", 0.0),
    page_row("page-deep", "JSON page of 500 at nine tenths of its depth", 0.9),
)
