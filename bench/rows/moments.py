"""A contact as of a moment: what the length of its stream costs."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, NamedTuple, cast

from bench.alternating import alternately
from bench.people import email, upserts
from bench.requests import get
from bench.row import Figure, Row, RowFailed, Sample
from bench.stand import Stand
from domain import contact
from domain.store.order import Context, Order

P50, P99 = "p50", "p99"
LONG: Final = 1_000
SHORT: Final = 5
TAG: Final = "on-and-off"
LIMIT: Final = "a stream of 5 events"


class Half(NamedTuple):
    """A contact, and the position of the event in the middle of its stream."""

    number: int
    position: int


def stream(stand: Stand, events: int) -> Half:
    """A contact of so many events: three when it subscribes, then a tag comes and goes. Raises RowFailed."""
    scope, now = stand.commands, datetime.now(UTC)
    [subscribed] = stand.carry_out(upserts(scope, [email("of-moments", events)]))
    fields: dict[str, Any] = {"at": now, "organization_id": scope.organization_id, "audience_id": scope.audience_id}
    commands = (
        contact.TagContact(client_id=scope.client_id, tag=TAG, **fields),
        contact.UntagContact(client_id=scope.client_id, tag=TAG, **fields),
    )
    context = Context(organization_id=scope.organization_id, client_id=scope.client_id)
    orders = [
        Order(decider=contact.decider, command=commands[place % 2], context=context, number=subscribed.number)
        for place in range(events - subscribed.version)
    ]
    done = stand.carry_out(orders)
    if done[-1].version != events:
        raise RowFailed(f"the stream has {done[-1].version} events, not {events}")
    return Half(subscribed.number, done[-1].position - events // 2)


def requests(stand: Stand, events: int) -> list[bytes]:
    """The same request, as often as answers are timed."""
    half = cast("Half", stand.once(f"stream of {events}", partial(stream, stand, events)))
    request = get(stand.commands, f"/api/contacts/{half.number}", {"as_of": half.position})
    return [request] * stand.scale.probes


def measure(stand: Stand, _: int) -> Sample:
    """Both streams in turns, one request after the other."""
    loads = {"short": requests(stand, SHORT), "long": requests(stand, LONG)}
    turns = alternately(stand, loads, connections=1)
    short, long = turns["short"], turns["long"]
    return Sample({P50: long.p50, P99: long.p99}, {P50: short.p50, P99: short.p99})


ROWS = (
    Row(
        name="as-of-1000",
        title="GET a contact as of the middle of its 1,000 events",
        figures=(Figure(P50, "ms", None, LIMIT), Figure(P99, "ms", None, LIMIT)),
        measure=measure,
    ),
)
