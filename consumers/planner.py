"""Turns queued campaigns into messages, queues those whose time has come, and ends those whose mail is all settled."""

from __future__ import annotations

import logging
from collections import Counter, deque
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Event as Flag
from typing import Any, Final
from uuid import UUID

from consumers.leading import look_while_leading
from consumers.session import Connection
from domain import campaign, client, message
from domain.campaign import Campaign
from domain.message import campaign_message_number
from domain.store.known import Known, handle_known
from domain.store.log import Store
from domain.store.order import Accepted, Context, Failed, Order, Outcome
from projections.campaign_audience.candidates import Intended, intended
from projections.checkpoint import is_caught_up

NAME: Final = "datamailer.planner"
NEEDED: Final = ("contacts", "category_choices", "recipient_lists")
"""Read models that a snapshot is taken from."""
AT_ONCE: Final = 2
"""Chunks of messages that are requested at once: one is decided while Postgres takes another."""
NEW: Final = Known(0, message.of_campaign.initial)

UNDER_WAY = """
SELECT campaign_id FROM campaigns
WHERE status IN ('queued', 'snapshotting', 'paused') AND phase IN ('queued', 'snapshotting') ORDER BY campaign_id
"""
DUE = "SELECT campaign_id FROM campaigns WHERE status = 'draft' AND scheduled_at <= now() ORDER BY scheduled_at"
SENDING = """
SELECT campaign_id FROM campaigns c WHERE status IN ('sending', 'paused') AND phase = 'sending'
AND NOT EXISTS (SELECT FROM outbox o WHERE o.campaign_id = c.campaign_id)
"""
QUEUED_AT = "SELECT max(notification_id) FROM log WHERE originator_id = %s AND topic LIKE 'campaign.queued@%%'"

log = logging.getLogger(__name__)


class Planner:
    """One at a time plans; the others wait to take over."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def session(self, stop: Flag) -> None:
        """Plan until stopped. Raises what a lost database raises: the next session goes on where this one was."""
        look_while_leading(self._store.conninfo, NAME, self.look, stop)

    def look(self, connection: Connection, stop: Flag) -> None:
        """Do what is due now. Raises Unavailable and psycopg's OperationalError."""
        for number in numbers(connection, DUE):
            self._queue(number)
        for number in numbers(connection, UNDER_WAY):
            self._plan(connection, number, stop)
        for number in numbers(connection, SENDING):
            self._finish(connection, number)

    def _state(self, number: int) -> tuple[Campaign, int]:
        [loaded] = self._store.load(campaign.decider, numbers=[number])
        return loaded.state, loaded.position

    def _queue(self, number: int) -> None:
        """Queue a draft whose time has come, from the sender that it or its client names."""
        state, _ = self._state(number)
        content = state.content
        if state.phase != "draft" or content is None:
            return
        [loaded] = self._store.load(client.decider, numbers=[state.client_id])
        sender_id = content.from_email or loaded.state.default_sender_id
        chosen = next((sender.email for sender in loaded.state.senders if sender.id == sender_id), "")
        command = campaign.QueueWhenDue(at=datetime.now(UTC), sender_id=sender_id, sender=chosen)
        self._handle([order(number, state, command)])

    def _plan(self, connection: Connection, number: int, stop: Flag) -> None:
        """Take the snapshot, if the read models have come so far. An interrupted one begins again, to the same end."""
        state, _ = self._state(number)
        if state.phase not in {"queued", "snapshotting"}:
            return
        row = connection.execute(QUEUED_AT, (UUID(int=campaign.decider.kind << 96 | number),)).fetchone()
        position = int(row[0]) if row else 0
        if not all(is_caught_up(connection, name, position) for name in NEEDED):
            return
        self._handle([order(number, state, campaign.StartSnapshot(at=datetime.now(UTC), position=position))])
        counts: Counter[str] = Counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            under_way: deque[Future[Counter[str]]] = deque()
            for chunk in intended(self._store, state, position):
                if stop.is_set() or self._state(number)[0].phase != "snapshotting":
                    return
                if len(under_way) == AT_ONCE:
                    counts += under_way.popleft().result()
                under_way.append(pool.submit(self._request, number, state, chunk))
            counts = sum((request.result() for request in under_way), counts)
        finish = campaign.FinishSnapshot(
            at=datetime.now(UTC), recipient_count=counts["queued"], skipped_count=counts["skipped"]
        )
        self._handle([order(number, state, finish)])
        log.info("snapshot taken", extra={"campaign_id": number, **counts})

    def _request(self, number: int, state: Campaign, chunk: list[Intended]) -> Counter[str]:
        """Have a message for each, and count who is skipped and who not; those that have a message keep it."""
        now = datetime.now(UTC)
        context = context_of(state)
        orders = [
            Order(
                decider=message.of_campaign,
                number=campaign_message_number(number, each.contact_id),
                command=message.PlanMessage(
                    at=now, campaign_id=number, contact_id=each.contact_id, skip_reason=each.skip_reason
                ),
                context=context,
                contact_id=each.contact_id,
            )
            for each in chunk
        ]
        outcomes = checked(handle_known(self._store, orders, [NEW] * len(orders)))
        planned = [outcome.state.skip_reason is None for outcome in outcomes if isinstance(outcome, Accepted)]
        return Counter(queued=sum(planned), skipped=len(planned) - sum(planned))

    def _finish(self, connection: Connection, number: int) -> None:
        """End a campaign of which the outbox, caught up with the log's present end, holds nothing."""
        state, head = self._state(number)
        if state.phase != "sending" or not is_caught_up(connection, "outbox", head):
            return
        if number in numbers(connection, SENDING):
            self._handle([order(number, state, campaign.FinishCampaign(at=datetime.now(UTC)))])

    def _handle(self, orders: list[Order]) -> list[Outcome]:
        return checked(self._store.handle(*orders))


def checked(outcomes: list[Outcome]) -> list[Outcome]:
    """The outcomes. Raises the error of one that failed."""
    for outcome in outcomes:
        if isinstance(outcome, Failed):
            raise outcome.error
    return outcomes


def context_of(state: Campaign) -> Context:
    """The envelope of what comes of planning a campaign."""
    return Context(organization_id=state.organization_id, client_id=state.client_id, source="planner")


def order(number: int, state: Campaign, command: Any) -> Order:
    """A command for the campaign."""
    return Order(decider=campaign.decider, number=number, command=command, context=context_of(state))


def numbers(connection: Connection, query: str) -> list[int]:
    """The campaigns that a query names."""
    return [int(number) for (number,) in connection.execute(query).fetchall()]
