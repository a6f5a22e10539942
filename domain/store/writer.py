"""Gathers concurrent commands and reads: whatever came in while the last flush was on its way makes up the next one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

from domain.decider import Decider
from domain.store.log import Store
from domain.store.order import Failed, Loaded, Order, Outcome

Request = TypeVar("Request")
Answer = TypeVar("Answer")

LARGEST_FLUSH = 500
"""Commands in one flush; more wait for the next, so that one answer never waits for thousands of others."""


class Gatherer(Generic[Request, Answer]):
    """A thread that answers requests of one event loop in batches, with no delay of its own.

    ``answer_all`` gets the requests in the order of their coming and gives as many answers; it must not raise.
    """

    def __init__(self, name: str, answer_all: Callable[[Sequence[Request]], Sequence[Answer]]) -> None:
        self._answer_all = answer_all
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[tuple[Request, asyncio.Future[Answer]]] = deque()
        self._wake = Condition()
        self._closing = False
        self._kicked = False
        self.observe: Callable[[int], None] = lambda _: None
        self._thread = Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> asyncio.Future[Answer]:
        """Ask; the future is resolved on the event loop. To be called there."""
        future: asyncio.Future[Answer] = self._loop.create_future()
        self._waiting.append((request, future))
        if not self._kicked:
            self._kicked = True
            self._loop.call_soon(self._loop.call_soon, self._kick)
        return future

    def _kick(self) -> None:
        """Wake the thread once a pass of the loop, when all that came in has been read: fewer, fuller flushes."""
        self._kicked = False
        with self._wake:
            self._wake.notify()

    def close(self) -> None:
        """Answer what waits, then stop. Blocks until then."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        while batch := self._next():
            self.observe(len(batch))
            answers = self._answer_all([request for request, _ in batch])
            self._loop.call_soon_threadsafe(_resolve, [future for _, future in batch], answers)

    def _next(self) -> list[tuple[Request, asyncio.Future[Answer]]]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            return [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_FLUSH))]


def _resolve(futures: Sequence[asyncio.Future[Answer]], answers: Sequence[Answer]) -> None:
    for future, answer in zip(futures, answers, strict=True):
        if not future.done():
            future.set_result(answer)


class Read(Generic[Request]):
    """A stream to read, by key or number."""

    __slots__ = ("decider", "key", "number")

    def __init__(self, decider: Decider[Any], key: str | None, number: int | None) -> None:
        self.decider = decider
        self.key = key
        self.number = number


class Writer:
    """The store for an event loop: commands share flushes, reads share queries. Make it inside the running loop."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.commands: Gatherer[Order, Outcome] = Gatherer("commands", self._handle)
        self.reads: Gatherer[Read[Any], Loaded | Failed] = Gatherer("reads", self._load)

    async def submit(self, order: Order) -> Outcome:
        """Decide and append one order, together with those that wait beside it."""
        return await self.commands.submit(order)

    async def load(self, decider: Decider[Any], *, key: str | None = None, number: int | None = None) -> Loaded:
        """The present state of one stream. Raises Unavailable when the log cannot be reached."""
        answer = await self.reads.submit(Read(decider, key, number))
        if isinstance(answer, Failed):
            raise answer.error
        return answer

    def close(self) -> None:
        """Finish what waits and stop the threads."""
        self.commands.close()
        self.reads.close()

    def _handle(self, orders: Sequence[Order]) -> Sequence[Outcome]:
        try:
            return self._store.handle(*orders)
        except Exception as error:  # noqa: BLE001 - the thread must answer and live on
            return [Failed(error)] * len(orders)

    def _load(self, reads: Sequence[Read[Any]]) -> Sequence[Loaded | Failed]:
        answers: dict[int, Loaded | Failed] = {}
        for decider in {id(read.decider): read.decider for read in reads}.values():
            keyed = [
                (place, read) for place, read in enumerate(reads) if read.decider is decider and read.key is not None
            ]
            named = [(place, read) for place, read in enumerate(reads) if read.decider is decider and read.key is None]
            try:
                states: Sequence[Loaded | Failed] = self._store.load(
                    decider,
                    keys=[read.key for _, read in keyed if read.key is not None],
                    numbers=[read.number or 0 for _, read in named],
                )
            except Exception as error:  # noqa: BLE001 - the thread must answer and live on
                states = [Failed(error)] * (len(keyed) + len(named))
            answers.update(zip((place for place, _ in keyed + named), states, strict=True))
        return [answers[place] for place in range(len(reads))]
