"""What comes back of a small and of a large campaign: openings by the pixel, and SES's events through the webhook."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import Final, LiteralString, cast
from uuid import UUID, uuid4

import msgspec

from bench.alternating import alternately
from bench.limits import EMPTY_HANDLER, empty_handler
from bench.load.job import Report
from bench.mailing import draft, queue, subscribers, until
from bench.requests import posted
from bench.row import Figure, Goal, Row, Sample, at_least
from bench.rows.campaigns import ENDLESS, LONGEST, begun, settled
from bench.stand import Stand
from config.local.ses.certificate import Signer as SnsSigner
from config.local.ses.sns import notification, signed
from config.local.supervisor import LOCAL_MAIL
from domain import message
from domain.links import Signer
from domain.mail import STREAM_TAG

RATE, P50, P99, BEHIND = "rate", "p50", "p99", "events behind at the end of a turn, most"
SMALL, LARGE = "small campaign", "large campaign"
RATIO: Final = "rate, large of small"
CONNECTIONS: Final = 32
ONE_IN: Final = 12
"""The large campaign is so many times the small one: 120,000 and 10,000."""
PICK: LiteralString = """
SELECT contact_id FROM campaign_recipients WHERE campaign_id = %s AND status = 'sent' ORDER BY random() LIMIT %s
"""
Render = Callable[[Stand, list[UUID]], list[bytes]]


def sent_campaign(stand: Stand, share: int) -> int:
    """A campaign to one in so many, all of which was sent; made when first asked for."""

    def make() -> int:
        scope, port, name = stand.commands, stand.stack.port, f"bench-one-in-{share}"
        stand.stack.ses.empty()
        stand.stack.ses.set_faults(**ENDLESS)
        subscribers(stand.store, scope, name, stand.scale.recipients // share)
        campaign_id = draft(port, scope, name, name)
        queue(port, scope, name)
        until(lambda: begun(stand, campaign_id), "the snapshot", LONGEST)
        settled(stand, campaign_id)
        return campaign_id

    return cast("int", stand.once(f"sent-one-in-{share}", make))


def streams(stand: Stand, share: int) -> list[UUID]:
    """Messages of the campaign in no order, as many as a run has requests; some come again in a small one."""
    campaign_id = sent_campaign(stand, share)
    rows = stand.connection.execute(PICK, (campaign_id, stand.scale.requests)).fetchall()
    numbers = [message.campaign_message_number(campaign_id, contact_id) for (contact_id,) in rows]
    found = [UUID(int=message.of_campaign.kind << message.KIND_BITS | number) for number in numbers]
    return [found[n % len(found)] for n in range(stand.scale.requests)]


def pixels(stand: Stand, found: list[UUID]) -> list[bytes]:
    """The requests of mail programs."""
    signer = Signer(stand.store.keyring.secret("links"))
    return [b"GET /t/o/%s.gif HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" % signer.open(stream).encode() for stream in found]


def deliveries(stand: Stand, found: list[UUID]) -> list[bytes]:
    """SNS's posts, each with one delivery, signed as it signs."""
    signer, url = SnsSigner.kept_in(stand.stack.folder / "ses"), stand.stack.ses.url
    topic, requests = LOCAL_MAIL["SES_TOPIC_ARNS"], list[bytes]()
    for stream in found:
        envelope = signed(notification(delivery(stream), topic, url), signer, "2", url)
        body = msgspec.json.encode(envelope)
        requests.append(posted(stand.commands, "/webhooks/ses", b"text/plain; charset=UTF-8", body))
    return requests


def delivery(stream: UUID) -> str:
    """SES's event of a delivery, as large as they come (SES developer guide, Contents of event data)."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    address = f"{stream.int & (1 << message.CONTACT_BITS) - 1}@example.com"
    mail = {
        "timestamp": now,
        "source": "Courses <courses@example.com>",
        "sendingAccountId": "000000000000",
        "messageId": str(uuid4()),
        "destination": [address],
        "headersTruncated": False,
        "headers": [{"name": "Subject", "value": "What is new this week"}, {"name": "To", "value": address}] * 4,
        "commonHeaders": {"from": ["courses@example.com"], "to": [address], "subject": "What is new this week"},
        "tags": {STREAM_TAG: [str(stream)], "ses:configuration-set": ["datamailer"]},
    }
    own = {"timestamp": now, "recipients": [address], "smtpResponse": "250 ok", "processingTimeMillis": 25}
    return msgspec.json.encode({"eventType": "Delivery", "mail": mail, "delivery": own}).decode()


def measure(stand: Stand, _: int, *, render: Render) -> Sample:
    """Both campaigns in turns, beside the same requests to a handler that does nothing."""
    loads = {SMALL: render(stand, streams(stand, ONE_IN)), LARGE: render(stand, streams(stand, 1))}
    limit = empty_handler(stand, loads[LARGE], CONNECTIONS)
    notes: dict[str, list[str]] = {SMALL: [], LARGE: []}
    behind: list[int] = []

    def around(name: str, load: Callable[[], Report]) -> Report:
        with stand.accounting(notes[name]) as account:
            report = load()
            behind.append(stand.behind())
            account(report.good)
        return report

    turns = alternately(stand, loads, around, connections=CONNECTIONS)
    values = {RATIO: turns[LARGE].per_second / turns[SMALL].per_second, BEHIND: float(max(behind))}
    for name, done in turns.items():
        values |= {f"{RATE}, {name}": done.per_second, f"{P50}, {name}": done.p50, f"{P99}, {name}": done.p99}
    said = [f"{name}, last turn: {said[-1]}" for name, said in notes.items()]
    return Sample(values, {f"{RATE}, {name}": limit for name in turns}, said)


def prepare(stand: Stand) -> None:
    """Have both campaigns there."""
    sent_campaign(stand, ONE_IN)
    sent_campaign(stand, 1)


def row(name: str, title: str, render: Render, goal: Goal | None) -> Row:
    """A row of requests per second and latencies, of a small and of a large campaign."""
    rates = [Figure(f"{RATE}, {size}", "/s", goal, EMPTY_HANDLER) for size in (SMALL, LARGE)]
    latencies = [Figure(f"{what}, {size}", "ms") for what in (P50, P99) for size in (SMALL, LARGE)]
    figures = (*rates, Figure(RATIO, "", at_least(0.8)), *latencies, Figure(BEHIND, ""))
    return Row(name=name, title=title, figures=figures, measure=partial(measure, render=render), prepare=prepare)


ROWS = (
    row("opens", "open pixel, 32 connections, campaigns of 10,000 and 120,000 in turns", pixels, at_least(3_000)),
    row("ses", "SES events by the webhook, 32 connections, campaigns of 10,000 and 120,000 in turns", deliveries, None),
)
