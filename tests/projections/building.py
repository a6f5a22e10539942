"""Read models to rebuild: some people, and followers of the log that stop where the test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from consumers.session import Connection
from domain import contact
from domain.store.log import Store
from domain.store.order import Context, Order
from domain.store.recorded import Recorded
from projections.contacts import PROJECTION
from projections.engine import Applied
from projections.projection import Projection
from projections.rebuild.progress import Progress
from projections.rebuild.refusals import StoppedError
from tests.projections.histories import begin, deliver, put
from tests.store.conftest import NOON, upsert


def people(count: int, start: int = 0) -> list[Order]:
    """Upserts of different people, each with a tag and a reason of its own."""
    return [
        upsert(
            f"person{n}@example.com",
            tags=(f"tag {n % 3}",),
            validation=contact.EmailVerdict(status="risky", reason=f"because of {n}"),
        )
        for n in range(start, start + count)
    ]


def erase(email: str) -> Order:
    """The end of the organization's relation with a person."""
    command = contact.EraseContact(at=NOON, organization_id=1)
    return Order(decider=contact.decider, key=email, context=Context(organization_id=1, client_id=2), command=command)


def followed(
    store: Store, connection: Connection, orders: list[Order], projection: Projection = PROJECTION
) -> list[Recorded]:
    """Put orders to the store, and take all of the log into the live rows from the beginning; gives the log."""
    events = put(store, connection, orders)
    begin(connection, projection)
    assert deliver(connection, store, projection, events) == Applied()
    return events


def contacts(connection: Connection) -> list[Any]:
    return connection.execute("SELECT * FROM contacts ORDER BY contact_id, audience_id, client_id").fetchall()


def schemas(connection: Connection) -> list[str]:
    """What rebuilds left."""
    query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild%' OR nspname LIKE 'retired%' ORDER BY 1"
    return [name for (name,) in connection.execute(query)]


def stopping(when: Callable[[Progress], bool]) -> Callable[[Progress], None]:
    """Watch a rebuild, and stop it."""

    def watch(progress: Progress) -> None:
        if when(progress):
            raise StoppedError

    return watch


@contextmanager
def beside(run: Callable[[], object]) -> Iterator[Thread]:
    """Run something in a thread; what it raises is raised at the end of the block."""
    broken: list[BaseException] = []

    def carry_out() -> None:
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - raised again below
            broken.append(error)

    thread = Thread(target=carry_out)
    thread.start()
    try:
        yield thread
    finally:
        thread.join()
    if broken:
        raise broken[0]
