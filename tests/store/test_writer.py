"""Concurrent commands of one event loop: gathered into few flushes, each with its own answer."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import psycopg
import pytest

from config.local.postgres import Postgres
from domain import contact
from domain.store.log import Store
from domain.store.order import Accepted, Failed, Refused, Unavailable
from domain.store.writer import LARGEST_FLUSH, Gatherer, Writer
from tests.store.conftest import upsert


def with_writer(store: Store, body: Callable[[Writer], Coroutine[Any, Any, None]]) -> None:
    async def run() -> None:
        writer = Writer(store)
        try:
            await body(writer)
        finally:
            writer.close()

    asyncio.run(run())


def test_concurrent_commands_share_flushes(store: Store) -> None:
    flushes: list[int] = []

    async def body(writer: Writer) -> None:
        writer.commands.observe = flushes.append
        orders = [upsert(f"{n % 50}@example.com", tags=(f"t{n}",)) for n in range(200)]
        outcomes = await asyncio.gather(*(writer.submit(order) for order in orders))
        assert all(isinstance(outcome, Accepted) for outcome in outcomes)
        loads = await asyncio.gather(*(writer.load(contact.decider, key=f"{n}@example.com") for n in range(50)))
        assert [len(loaded.state.tags[3]) for loaded in loads] == [4] * 50
        by_number = await writer.load(contact.decider, number=loads[7].number)
        assert by_number.state == loads[7].state

    with_writer(store, body)
    assert sum(flushes) == 200
    assert len(flushes) < 20


def test_each_command_keeps_its_own_failure(store: Store) -> None:
    async def body(writer: Writer) -> None:
        orders = [upsert("a@example.com"), upsert("b@example.com", tags=("!!!",)), upsert("\ud800@example.com")]
        outcomes = await asyncio.gather(*(writer.submit(order) for order in orders))
        assert [type(outcome) for outcome in outcomes] == [Accepted, Refused, Failed]

    with_writer(store, body)


def test_a_lost_database_fails_as_unavailable_and_comes_back(store: Store, postgres: Postgres, database: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]

    def allow(*, connections: bool) -> None:
        with psycopg.connect(postgres.conninfo(), autocommit=True) as connection:
            connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {connections}')
            if not connections:
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))

    async def body(writer: Writer) -> None:
        await writer.submit(upsert("a@example.com"))
        allow(connections=False)
        try:
            lost = await writer.submit(upsert("b@example.com"))
            assert isinstance(lost, Failed)
            assert isinstance(lost.error, Unavailable)
            with pytest.raises(Unavailable):
                await writer.load(contact.decider, key="a@example.com")
        finally:
            allow(connections=True)
        while not isinstance(back := await writer.submit(upsert("c@example.com")), Accepted):
            assert isinstance(back, Failed)
        assert (await writer.load(contact.decider, key="c@example.com")).version == 2
        assert (await writer.load(contact.decider, key="b@example.com")).version == 0

    with_writer(store, body)


def test_a_flush_is_bounded_and_closing_answers_what_waits() -> None:
    sizes: list[int] = []

    def double(numbers: Sequence[int]) -> Sequence[int]:
        sizes.append(len(numbers))
        return [2 * number for number in numbers]

    async def run() -> None:
        gatherer: Gatherer[int, int] = Gatherer("doubles", double)
        futures = [gatherer.submit(n) for n in range(2 * LARGEST_FLUSH)]
        gatherer.close()
        assert await asyncio.gather(*futures) == [2 * n for n in range(2 * LARGEST_FLUSH)]

    asyncio.run(run())
    assert max(sizes) <= LARGEST_FLUSH
