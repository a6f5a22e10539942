"""Decides on what the caller knows of streams, without loading them; those that moved on are decided on the log.

For who has just written to a stream, or knows how it began: a planner that requests, a sender that settles what it
attempted a moment ago. Old knowledge costs a second look, never a wrong event: the append takes a stream's next version
alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from uuid import UUID

from eventsourcing.persistence import InterfaceError, OperationalError

from domain.store.decision import Decision
from domain.store.found import Found
from domain.store.log import Store
from domain.store.order import Accepted, Failed, Order, Outcome, Unavailable
from domain.store.work import ContactKeys, Work


class Known(NamedTuple):
    """What a stream was at a moment: its version, 0 before its first event, and its state then."""

    version: int
    state: Any


def handle_known(store: Store, orders: Sequence[Order], known: Sequence[Known | None]) -> list[Outcome]:
    """Decide orders, each for a numbered stream of its own, and append all their events at once, as ``handle`` does.

    The log has the last word: an order that is refused, has nothing to do, or whose stream has moved on, is decided
    anew on what the log holds. So is one of whose stream nothing is known, and all of them when there are events with
    personal fields, which need the contact's keys.
    """
    guesses = {place: guess for place, guess in enumerate(known) if guess is not None}
    outcomes: dict[int, Outcome] = {}
    try:
        outcomes = _append(store, orders, guesses) if guesses else {}
    except (OperationalError, InterfaceError) as error:
        failure = Unavailable()
        failure.__cause__ = error
        return [Failed(failure)] * len(orders)
    rest = [place for place in range(len(orders)) if place not in outcomes]
    if rest:
        outcomes.update(zip(rest, store.handle(*(orders[place] for place in rest)), strict=True))
    return [outcomes[place] for place in range(len(orders))]


def _append(store: Store, orders: Sequence[Order], known: Mapping[int, Known]) -> dict[int, Outcome]:
    """What could be decided and appended, by place. Raises the library's persistence errors."""
    no_keys = ContactKeys(store.keyring, {})
    works = {place: _work(orders[place], guess, no_keys) for place, guess in known.items()}
    if len({work.stream for work in works.values()}) < len(works):
        return {}
    decision = Decision(works)
    decision.decide({place: orders[place] for place in works})
    events = {type(event): event for work in works.values() for event, _ in work.pending}
    if any(store.mapper.personal_of(event) for event in events.values()):
        return {}
    batch = decision.batch({}, store.mapper)
    if not batch.rows:
        return {}
    answered = decision.answered(store.recorder.append(batch))
    return {place: outcome for place, outcome in answered.items() if isinstance(outcome, Accepted) and outcome.events}


def _work(order: Order, known: Known, no_keys: ContactKeys) -> Work:
    """The stream as it was."""
    stream = UUID(int=order.decider.kind << 96 | (order.number or 0))
    found = Found(stream, fresh=False, wrapped_keys={}, snapshot=None, events=[], head=0, kept=0)
    work = Work(order.decider, None, order.contact_id, found, no_keys)
    work.version, work.state = known
    work.expected = known.version
    return work
