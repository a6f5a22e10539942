"""Read models keeping up with the log."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime

from bench.row import Figure, Row, Sample, at_least
from bench.rows.imports import populate
from bench.stand import Stand
from domain import contact
from domain.store.order import Context, Order

RATE = "events"
MEMBERS = "SELECT contact_id FROM contacts WHERE audience_id = %s AND client_id = %s"


def measure_live(stand: Stand, run: int) -> Sample:
    """Tag contacts in no order, one event each, while the consumers are held still; then time how they catch up."""
    scope = stand.imports
    rows = stand.connection.execute(MEMBERS, (scope.audience_id, scope.client_id)).fetchall()
    numbers = [number for (number,) in rows][: stand.scale.rows]
    random.Random(run).shuffle(numbers)  # noqa: S311 - the same shuffle each time is what is wanted
    context = Context(organization_id=scope.organization_id, client_id=scope.client_id)
    command = contact.TagContact(
        at=datetime.now(UTC),
        organization_id=scope.organization_id,
        audience_id=scope.audience_id,
        client_id=scope.client_id,
        tag=f"live-{run}",
    )
    with stand.stack.paused("consumers"):
        stand.carry_out([Order(decider=contact.decider, command=command, context=context, number=n) for n in numbers])
        behind = stand.behind()
    began = time.perf_counter()
    stand.settle()
    return Sample({RATE: behind / (time.perf_counter() - began)}, notes=[f"{behind:,} events, 5,000 a transaction"])


ROWS = (
    Row(
        name="projection-live",
        title="live projection, scattered contacts, one event each",
        figures=(Figure(RATE, "events/s", at_least(22_000)),),
        measure=measure_live,
        prepare=populate,
    ),
)
