"""``python -m bench.kill_sender``: kills the campaign sender in the middle of campaigns, and counts what arrived.

Each round is a campaign. Its sender is killed at random moments and started again; then SES's own events settle what
was left without an answer, and what SES does not have is released, as an operator would. Nobody may have the mail
twice, and nobody may lack it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack, closing
from random import Random
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

import psycopg

from api.cli_messages import let_go, mails_named
from api.cli_output import table
from api.directory import loaded
from bench.__main__ import data_folder, say
from bench.mailing import TICK, draft, is_settled, queue, subscribers, until
from bench.row import RowFailed
from bench.scopes import scope
from bench.stack import SENDER, Stack, plan_of
from config.local.plan import Plan
from config.local.program import Program, StartError
from domain import campaign, message
from domain.mail import STREAM_TAG
from domain.store.log import Store

FEED: Final = "direct"
TAG: Final = "everybody"
KILLS: Final = 3
"""At most, in a round: a campaign that is sent has no moments left."""
ROUND_SECONDS: Final = 240.0
LATENCY_MS: Final = 5.0
"""Of SES, so that more moments are in the middle of a call."""
LONGEST_AFTER: Final = 0.25
"""Seconds between the mail that gives the sign and the kill, at most."""
FAULTS: Final[dict[str, dict[str, Any]]] = {
    "none": {},
    "throttle": {"throttle": {"share": 0.5}},
    "lost": {"lost": {"share": 0.3}},
}
"""Half of the calls throttled; a third of the calls accepted and never answered."""
DELIVERED: LiteralString = "SELECT delivered_count FROM campaign_counters WHERE campaign_id = %s"
SENT: LiteralString = "SELECT count(*) FROM campaign_recipients WHERE campaign_id = %s AND status = 'sent'"
NO_ANSWER: LiteralString = """
SELECT count(DISTINCT originator_id) FROM log
WHERE originator_id >= %s AND originator_id < %s AND topic LIKE 'message.unconfirmed@%%'
"""


class Round(NamedTuple):
    """What a round came to. ``no_answer`` are mails that were unconfirmed at some time, ``released`` by the operator.

    ``wrong`` are violations: mails that somebody has twice, people without it, and mails whose end is not known.
    """

    number: int
    calls: str
    kills: int
    no_answer: int
    released: int
    inbox: int
    twice: int
    missing: int
    open: int
    seconds: float

    @property
    def wrong(self) -> int:
        """How many violations."""
        return self.twice + self.missing + self.open


class Trial:
    """Rounds on one stack."""

    def __init__(self, stack: Stack, store: Store, recipients: int, fault: str, random: Random) -> None:
        self._stack = stack
        self._store = store
        self._recipients = recipients
        self._fault = fault
        self._random = random
        self._scope = scope(loaded(store), "dtc-courses", "dtc-courses")
        self._connection = psycopg.connect(store.conninfo, autocommit=True)
        self._sender: Program | None = None
        subscribers(store, self._scope, TAG, recipients)

    def close(self) -> None:
        """Stop what this started."""
        if self._sender is not None:
            self._sender.stop()
        self._connection.close()

    def round(self, number: int) -> Round:
        """Send a campaign through kills. Raises RowFailed when it does not come to its end."""
        began, single = time.perf_counter(), number % 2 == 1
        self._set_faults(number)
        campaign_id = self._begin(f"kill-{self._fault}-{number}", single=single)
        kills = sum(self._kill(campaign_id, left) for left in range(KILLS, 0, -1))
        self._start()
        self._settle(campaign_id)
        released = self._release(campaign_id)
        arrived = self._arrived(campaign_id)
        sent = self._count(SENT, campaign_id)
        return Round(
            number=number,
            calls="single" if single else "bulk",
            kills=kills,
            no_answer=self._no_answer(campaign_id),
            released=released,
            inbox=arrived.total(),
            twice=sum(times > 1 for times in arrived.values()),
            missing=self._recipients - len(arrived),
            open=self._recipients - sent,
            seconds=time.perf_counter() - began,
        )

    def _set_faults(self, number: int) -> None:
        """Begin with an empty inbox."""
        self._stack.ses.empty()
        faults = {name: {**fault, "seed": number} for name, fault in FAULTS[self._fault].items()}
        self._stack.ses.set_faults(latency_ms=LATENCY_MS, auto_events=["Send", "Delivery"], **faults)

    def _begin(self, key: str, *, single: bool) -> int:
        port = self._stack.port
        campaign_id = draft(port, self._scope, key, TAG, single=single)
        queue(port, self._scope, key)

        def planned() -> bool:
            self._stack.check()
            [found] = self._store.load(campaign.decider, numbers=[campaign_id])
            return found.state.phase not in {"queued", "snapshotting"}

        until(planned, "the snapshot", ROUND_SECONDS)
        return campaign_id

    def _start(self) -> None:
        if self._sender is None or self._sender.exited() is not None:
            self._sender = self._stack.program(SENDER, ("-m", "consumers", SENDER))
            self._sender.start()

    def _kill(self, campaign_id: int, left: int) -> bool:
        """Kill the sender some mails from now, or a moment later; False when all was sent before.

        ``left`` is how many kills are to find something to do.
        """
        self._start()
        ses = self._stack.ses
        there = ses.count()
        sign = there + self._random.randint(1, max(1, (self._recipients - there) // left))
        until(lambda: self._is_settled(campaign_id) or ses.count() >= sign, f"{sign} mails", ROUND_SECONDS, TICK / 4)
        time.sleep(self._random.random() ** 2 * LONGEST_AFTER)
        if self._sender is None or self._is_settled(campaign_id):
            return False
        self._sender.kill()
        return True

    def _is_settled(self, campaign_id: int) -> bool:
        """Whether nothing waits to be sent. Raises StartError when a service or the sender ended by itself."""
        self._stack.check()
        if self._sender is not None and self._sender.exited() is not None:
            raise self._sender.failure("ended by itself")
        return is_settled(self._connection, self._store, campaign_id)

    def _settle(self, campaign_id: int) -> None:
        """Wait until nothing waits to be sent, and SES's events of all mail that it has are in the read models."""
        until(lambda: self._is_settled(campaign_id), "the sender", ROUND_SECONDS)
        mails = len(self._arrived(campaign_id))
        until(lambda: self._count(DELIVERED, campaign_id) >= mails, "the events of SES", ROUND_SECONDS)

    def _release(self, campaign_id: int) -> int:
        """Release what SES is known not to have, until nothing is left of it; gives how many."""
        released, deadline = 0, time.perf_counter() + ROUND_SECONDS
        named = argparse.Namespace(campaign=str(campaign_id), client="")
        while (mails := mails_named(self._store, loaded(self._store), named)).found:
            arrived = self._arrived(campaign_id)
            if has := [each for each in mails.found if each.contact_id in arrived]:
                raise RowFailed(f"the events of SES left {len(has)} mails unconfirmed that it has")
            if time.perf_counter() > deadline:
                raise RowFailed("mails stay unconfirmed")
            released += let_go(self._store, mails, mails.found)
            self._settle(campaign_id)
        return released

    def _arrived(self, campaign_id: int) -> Counter[int]:
        """How often each contact has the campaign's mail."""
        streams = (UUID(mail.tags[STREAM_TAG]) for mail in self._stack.ses.messages(bodies=False))
        named = (message.campaign_and_contact(stream) for stream in streams)
        return Counter(contact_id for number, contact_id in named if number == campaign_id)

    def _no_answer(self, campaign_id: int) -> int:
        first, last = (UUID(int=message.of_campaign.kind << 96 | n << 48) for n in (campaign_id, campaign_id + 1))
        return self._count(NO_ANSWER, first, last)

    def _count(self, query: LiteralString, *parameters: object) -> int:
        row = self._connection.execute(query, parameters).fetchone()
        return int(row[0]) if row else 0


def without_sender() -> Plan:
    """The stack but for the sender."""
    plan = plan_of(FEED)
    services = {name: arguments for name, arguments in plan.services.items() if name != SENDER}
    return Plan(plan.migrate, plan.demo, services)


def main(words: Sequence[str]) -> int:
    """Run the rounds; return 1 when one was violated or did not end."""
    parser = argparse.ArgumentParser(prog="python -m bench.kill_sender", description="Kill the sender, count the mail.")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--recipients", type=int, default=2_000)
    parser.add_argument("--fault", choices=FAULTS, default="none")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(words)
    rounds: list[Round] = []
    try:
        with ExitStack() as ending:
            folder = ending.enter_context(data_folder())
            stack = ending.enter_context(Stack(folder, FEED, say, plan=without_sender()).running())
            store = ending.enter_context(closing(Store(stack.conninfo, stack.master_key)))
            random = Random(options.seed)  # noqa: S311 - moments, nothing secret
            trial = ending.enter_context(closing(Trial(stack, store, options.recipients, options.fault, random)))
            for number in range(1, options.rounds + 1):
                rounds.append(trial.round(number))
                say(f"round {number}: {rounds[-1].kills} kills, {rounds[-1].wrong} wrong")
    except (RowFailed, StartError) as error:
        say(f"round {len(rounds) + 1}: {error}")
        return 1
    finally:
        table(Round._fields, [tuple(f"{v:.0f}" if isinstance(v, float) else str(v) for v in each) for each in rounds])
    return int(any(each.wrong for each in rounds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
