"""Whether the service is alive, and whether it is ready: store, broker, and read models within bounds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Literal

import msgspec
import psycopg

from api.answer import Answer, json_answer
from api.call import Call
from api.positions import Pool
from projections.checkpoint import LAGS, Lag

BEHIND_SECONDS = 60.0
"""How old the oldest event may be that a read model or the relay has not taken in."""

BROKER_SECONDS = 1.0


UNBEGUN = """
SELECT name FROM read_models m
WHERE NOT EXISTS (SELECT FROM checkpoints c WHERE c.projection = m.name) AND EXISTS (SELECT FROM log)
ORDER BY name
"""


class Health(msgspec.Struct):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Readiness(msgspec.Struct):
    """Whether requests can be served in full; ``reasons`` say why not."""

    status: Literal["ready", "not_ready"]
    reasons: list[str]


async def health(_: Call) -> Answer:
    """Say that the process is alive."""
    return json_answer(Health())


async def ready(call: Call) -> Answer:
    """Say whether the store, the broker and the read models can be relied on; 503 with the reasons otherwise."""
    stored, brokered = await asyncio.gather(
        store_reasons(call.wiring.reads), broker_reasons(call.wiring.settings.kafka_bootstrap_servers)
    )
    reasons = stored + brokered
    payload = Readiness("not_ready" if reasons else "ready", reasons)
    return json_answer(payload, status=503 if reasons else 200)


async def store_reasons(pool: Pool) -> list[str]:
    """What is wrong with the store, or with what follows it."""
    try:
        found = await lags(pool)
        async with pool.connection() as connection:
            unbegun = await (await connection.execute(UNBEGUN)).fetchall()
    except psycopg.OperationalError:
        return ["store: cannot be reached"]
    behind = [reason for lag in found for reason in lag_reasons(lag)]
    return behind + [f"{name}: has not begun to follow the log" for (name,) in unbegun]


async def lags(pool: Pool) -> list[Lag]:
    """How far behind the log everything is that follows it. Raises psycopg's OperationalError."""
    async with pool.connection() as connection:
        cursor = await connection.execute(LAGS)
        return [Lag(*row) for row in await cursor.fetchall()]


def lag_reasons(lag: Lag) -> list[str]:
    """What is wrong with one follower."""
    reasons = []
    if lag.parked_position is not None:
        reasons.append(f"{lag.name}: parked at {lag.parked_position}")
    if lag.seconds > BEHIND_SECONDS:
        reasons.append(f"{lag.name}: {lag.events} events and {lag.seconds:.0f} seconds behind")
    return reasons


async def broker_reasons(servers: str) -> list[str]:
    """What is wrong with Kafka, where it is used: none of its brokers takes a connection."""
    addresses = [server.strip().rpartition(":") for server in servers.split(",") if server.strip()]
    for host, _, port in addresses:
        with suppress(OSError, ValueError, TimeoutError):
            async with asyncio.timeout(BROKER_SECONDS):
                _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
            writer.close()
            return []
    return ["broker: cannot be reached"] if addresses else []
