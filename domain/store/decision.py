"""Many commands decided in memory on their loaded streams, and the one append that comes of it."""

from __future__ import annotations

from collections.abc import Mapping

from domain.decider import Rejected
from domain.store.append import Answer, Append, Appended
from domain.store.keyring import sealed
from domain.store.mapper import Mapper
from domain.store.order import Accepted, Failed, Order, Outcome, Refused
from domain.store.work import Work


class Decision:
    """Outcomes by the orders' places; ``works`` gives the stream that each order is for.

    As an attribute, ``works`` has each stream once, in the order in which their commands came.
    """

    def __init__(self, works: Mapping[int, Work]) -> None:
        self._works = works
        self.works = list(dict.fromkeys(works.values()))
        self._ends: dict[int, int] = {}
        self._answers: list[Answer] = []
        self.outcomes: dict[int, Outcome] = {}

    def decide(self, orders: Mapping[int, Order]) -> None:
        """Decide the orders one after the other; a later one for the same stream sees what the earlier one did."""
        for place, order in orders.items():
            self.outcomes[place] = self._decide(place, order, self._works[place])

    def _decide(self, place: int, order: Order, work: Work) -> Outcome:
        try:
            events = order.decider.decide(work.state, order.command)
        except Rejected as rejected:
            return Refused(rejected)
        except Exception as error:  # noqa: BLE001 - a defect in one rule must not cost the others of the batch
            return Failed(error)
        if events:
            work.apply(events, order.context)
        if work.pending:
            self._ends[place] = len(work.pending)
        number = work.number if work.version else 0
        return Accepted(number=number, version=work.version, state=work.state, events=events, position=work.found.head)

    def batch(self, orders: Mapping[int, Order], mapper: Mapper) -> Append:
        """What is to be written: events, claims, keys, and the answers to be remembered."""
        batch = Append([], [], [], [], [], [])
        for work in self.works:
            if work.pending:
                work.add_to(batch, mapper)
        for place, order in orders.items():
            outcome = self.outcomes[place]
            if order.remember is not None and isinstance(outcome, Accepted | Refused):
                work, remember = self._works[place], order.remember
                status, body = remember.answer(outcome)
                asked, body = remember.asked, sealed(remember.asked.secret, body)
                batch.answers.append(Answer(work.stream, *asked.name, asked.request, status, body, work.contact_id))
        return batch

    def answered(self, written: Appended) -> dict[int, Outcome]:
        """The outcomes that stand, with their positions; orders of streams that lost a race are not among them."""
        stands = [work for work in self.works if work.stream not in written.lost] if written.lost else self.works
        starts: dict[Work, int] = {}
        position = written.head - sum(len(work.pending) for work in stands)
        for work in stands:
            starts[work] = position
            position += len(work.pending)
        return {
            place: self._placed(place, outcome, starts[work])
            for place, outcome in self.outcomes.items()
            if (work := self._works[place]) in starts
        }

    def _placed(self, place: int, outcome: Outcome, start: int) -> Outcome:
        end = self._ends.get(place)
        if end is None or not isinstance(outcome, Accepted):
            return outcome
        return Accepted(
            number=outcome.number,
            version=outcome.version,
            state=outcome.state,
            events=outcome.events,
            position=start + end,
        )
