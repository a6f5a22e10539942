"""Imports of members from a host that a test runs, step by step."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

from consumers.fetcher import Fetcher
from consumers.importer import Importer
from consumers.outside import Outside
from consumers.session import connect
from domain import import_job, recipient
from domain.import_job import ImportJob, QueueImport
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from domain.store.uploads import Uploads
from tests.consumers.hosts import Host
from tests.waiting import wait_until

CONTEXT: Final = Context(organization_id=1, client_id=2)
OUTSIDE: Final = Outside(private_hosts=True)


class Jobs:
    """Jobs whose file is ``/members`` of the host."""

    def __init__(self, store: Store, uploads: Uploads, host: Host) -> None:
        self.store = store
        self.uploads = uploads
        self.host = host

    def queue(self, *members: Any, path: str = "/members", **said: Any) -> str:
        """Queue an import of these members; gives its key."""
        body = "".join(f"{json.dumps(each) if isinstance(each, dict) else each}\n" for each in members).encode()
        self.host.pages.setdefault(path, lambda asked: asked.say(200, body))
        upload = self.uploads.expect(self.host.url(path))
        command = QueueImport(at=datetime.now(UTC), organization_id=1, client_id=2, list_id=1, **said)
        order = Order(decider=import_job.decider, command=command, context=CONTEXT, key=str(upload))
        [outcome] = self.store.handle(order)
        assert isinstance(outcome, Accepted), outcome
        return str(upload)

    def fetch(self) -> None:
        with connect(self.store.conninfo, "test fetches") as connection:
            Fetcher(self.store, OUTSIDE).look(connection, threading.Event())

    def carry_out(self) -> None:
        with connect(self.store.conninfo, "test imports") as connection:
            Importer(self.store).look(connection, threading.Event())

    def state(self, key: str) -> ImportJob:
        [loaded] = self.store.load(import_job.decider, keys=[key])
        job: ImportJob = loaded.state
        return job

    def ended(self, key: str) -> bool:
        """Whether the job has ended after another look."""
        self.carry_out()
        return self.state(key).finished_at is not None

    def done(self, *members: Any, **said: Any) -> ImportJob:
        """The job at its end."""
        self.host.pages.clear()
        key = self.queue(*members, **said)
        self.fetch()
        wait_until(partial(self.ended, key), "the import to end")
        assert self.uploads.waiting() + self.uploads.waiting(expected=True) == []
        return self.state(key)

    def members(self, *keys: str) -> list[int]:
        """The contacts that stand there, 0 where nobody does."""
        places = self.store.load(recipient.decider, keys=[recipient.key_of(1, key) for key in keys])
        return [place.state.contact_id if place.state.active else 0 for place in places]


def member(n: int, email: str = "", **more: Any) -> dict[str, Any]:
    return {"source_object_key": f"user-{n}", "email": email or f"person{n}@example.com", **more}
