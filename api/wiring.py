"""What requests stand on, made once when the server starts: the store and its writer, the directory, what listens."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

from eventsourcing.persistence import InterfaceError, OperationalError
from psycopg_pool import AsyncConnectionPool

from api.auth import Authentication
from api.directory import LiveDirectory
from api.following import Following
from api.idempotency import Idempotency
from api.key_usage import KeyUsage
from api.listener import Listener
from api.positions import Pool, Positions
from api.sns_keys import SnsKeys
from api.tenancy import key_pepper
from config.metrics import SIZES, Histogram, RequestMetrics
from config.settings import Settings
from domain.links import Signer
from domain.store.feedback import Feedback, Told, Verdict
from domain.store.log import Store
from domain.store.order import Failed
from domain.store.writer import Gatherer, Writer
from domain.tracking import Site

PURGE_SECONDS = 3600.0
READ_CONNECTIONS = 8
MOST_PREVIEWS = 1
"""Audiences that are previewed at a time: each takes seconds of a processor and a connection of its own."""

READ_SECONDS = 2.0
"""How long a read waits for a connection before it is answered as unavailable."""


class Wiring:
    """One per server process. ``start`` and ``stop`` run on the server's event loop."""

    writer: Writer
    feedback: Gatherer[Told, Verdict | Failed]
    reads: Pool
    positions: Positions

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.database_url, base64.b64encode(settings.master_key).decode())
        self.listener = Listener(settings.database_url)
        self.directory = LiveDirectory(self.store, self.listener.bells["datamailer_directory"])
        self.usage = KeyUsage(settings.database_url)
        self.auth = Authentication(self.directory, self.usage, key_pepper(self.store), settings.operator_key)
        self.idempotency = Idempotency(self.store)
        self.following = Following(self.store)
        self.previews = asyncio.Semaphore(MOST_PREVIEWS)
        self.site = Site(settings.public_url, Signer(self.store.keyring.secret("links")))
        self.sns_keys = SnsKeys()
        self.requests = RequestMetrics()
        self.flushes = Histogram(SIZES)
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        """Load the directory and begin to follow. Raises when the store cannot be reached."""
        await self.directory.refresh()
        self.writer = Writer(self.store)
        self.writer.commands.observe = self.flushes.observe
        self.feedback = Gatherer("feedback", Feedback(self.store).take)
        self.reads = AsyncConnectionPool(
            self.settings.database_url,
            min_size=1,
            max_size=READ_CONNECTIONS,
            timeout=READ_SECONDS,
            reconnect_timeout=READ_SECONDS,
            kwargs={"autocommit": True},
            check=AsyncConnectionPool.check_connection,
            open=False,
        )
        await self.reads.open()
        self.positions = Positions(self.reads, self.listener.bells["datamailer_checkpoint"])
        for forever in (self.listener.run(), self.directory.follow(), self.usage.run(), self._purge()):
            self._begin(forever)

    def _begin(self, forever: Coroutine[Any, Any, None]) -> None:
        self._tasks.append(asyncio.create_task(forever))

    async def _purge(self) -> None:
        """Forget remembered answers that are too old to be replayed."""
        while True:
            with suppress(OperationalError, InterfaceError):
                await asyncio.to_thread(self.store.purge)
            await asyncio.sleep(PURGE_SECONDS)

    async def stop(self) -> None:
        """Finish what waits, and write what is only in memory."""
        for task in self._tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await self.reads.close()
        await asyncio.to_thread(self.feedback.close)
        await asyncio.to_thread(self.writer.close)
        await self.usage.write()
        self.store.close()
