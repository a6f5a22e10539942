"""Delivers clients' events to their webhooks, at least once and in no promised order, retried for most of a day.

Any number of processes may run: they share deliveries by claims, and one at a time hands new events out.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from random import uniform
from threading import Event as Flag
from time import monotonic
from typing import Final

from eventsourcing.persistence import OperationalError

from consumers.outside import Outside
from consumers.session import WAIT, connect
from consumers.webhook_calls import Calls, Outcome
from consumers.webhook_claims import Claimed, Failure, WebhookClaims
from consumers.webhook_handout import hand_out
from consumers.webhook_letters import compose
from domain import webhook
from domain.store.log import Store
from domain.store.order import Contended, Context, Failed, Order, Unavailable
from domain.webhook_signing import PURPOSE, Secrets

NAME: Final = "datamailer.webhooks_out"
RETRIES: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0)
"""Seconds from a failed attempt to the next; after the last of them the delivery is dead. 17 to 21 hours in all."""
JITTER: Final = 0.2
"""By which part of itself a pause may be longer, so that what failed together is not tried together."""
TICK: Final = 0.1
TIDY_EVERY: Final = 600.0
LAST_SECONDS: Final = 2.0
"""How long a session that stops waits for calls under way; what does not end by then is attempted again."""

log = logging.getLogger(__name__)


class WebhooksOut:
    """One consumer. ``retries`` are the pauses after failed attempts."""

    def __init__(self, store: Store, outside: Outside, retries: Sequence[float] = RETRIES) -> None:
        self._store = store
        self._outside = outside
        self._retries = retries
        self._secrets = Secrets(store.keyring.secret(PURPOSE))

    def session(self, stop: Flag) -> None:
        """Deliver until stopped. Raises what a lost database raises: what was in hand is then for the next session."""
        with connect(self._store.conninfo, NAME) as connection:
            claims, calls = WebhookClaims(connection), Calls(self._outside, self._secrets)
            tidy_at = monotonic()
            while not stop.is_set():
                if monotonic() >= tidy_at:
                    claims.tidy()
                    tidy_at = monotonic() + TIDY_EVERY
                handed = hand_out(connection)
                idle = TICK if handed.wanted or calls.under_way else WAIT
                try:
                    self._begin(claims, calls)
                    self._settle(claims, calls.ended(0 if handed.more else idle))
                except Unavailable as error:
                    raise OperationalError from error
            until = monotonic() + LAST_SECONDS
            while calls.under_way and (left := until - monotonic()) > 0:
                self._settle(claims, calls.ended(left))

    def _begin(self, claims: WebhookClaims, calls: Calls) -> None:
        """Call for what is due."""
        claimed = claims.take(calls.room(claims.due()))
        if not claimed:
            return
        letters = compose(self._store, claimed)
        claims.let_go(letters.held)
        claims.failed([self._failure(each, "unreadable event") for each in letters.unreadable])
        calls.begin(letters.ready)

    def _settle(self, claims: WebhookClaims, outcomes: Sequence[Outcome]) -> None:
        """Keep what came of calls."""
        for url, webhook_id in {(each.letter.url, each.letter.claimed.webhook_id) for each in outcomes if each.gone}:
            self._switch_off(webhook_id, url)
        claims.delivered([each.letter.claimed for each in outcomes if not each.error])
        failures = [self._failure(each.letter.claimed, each.error) for each in outcomes if each.error]
        claims.failed(failures)
        for failure in failures:
            webhook_id, position, attempts = failure.claimed
            log.info(
                "webhook failed" if failure.seconds is not None else "webhook given up",
                extra={
                    "webhook_id": webhook_id,
                    "position": position,
                    "attempts": attempts + 1,
                    "error": failure.error,
                },
            )

    def _failure(self, claimed: Claimed, error: str) -> Failure:
        pause = self._retries[claimed.attempts] if claimed.attempts < len(self._retries) else None
        return Failure(claimed, error, None if pause is None else pause * uniform(1, 1 + JITTER))  # noqa: S311

    def _switch_off(self, webhook_id: int, url: str) -> None:
        """Have a webhook be off whose receiver is gone."""
        command = webhook.SwitchOffGone(at=datetime.now(UTC), url=url)
        [loaded] = self._store.load(webhook.decider, numbers=[webhook_id])
        context = Context(
            organization_id=loaded.state.organization_id, client_id=loaded.state.client_id, source="webhooks"
        )
        order = Order(decider=webhook.decider, command=command, context=context, number=webhook_id)
        [outcome] = self._store.handle(order)
        if isinstance(outcome, Failed):
            raise OperationalError if isinstance(outcome.error, Contended) else outcome.error
        log.info("webhook switched off", extra={"webhook_id": webhook_id})
