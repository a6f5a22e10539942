"""Clients with webhooks, a receiver on loopback that checks signatures by itself, and the consumers that deliver."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from time import time
from typing import Any, NamedTuple

from consumers.outside import Outside
from consumers.projector import Projector, direct_feed
from consumers.session import Connection
from consumers.webhooks_out import WebhooksOut
from domain import audience, client, organization, webhook
from domain.store.log import Store
from domain.store.order import Accepted, Context, Order
from domain.webhook_signing import PURPOSE, Secrets
from projections import directory, webhooks
from tests.consumers.hosts import Asked, Host
from tests.consumers.running import running, wait_until
from tests.store.conftest import NOON, upsert

OURS, THEIRS = 2, 1
"""Two clients of one organization; tests' contacts are the first one's."""
AT_ONCE = (0.0,) * 6
READ = (directory.PROJECTION, webhooks.PROJECTION)


class Received(NamedTuple):
    """A request that came, and what was answered."""

    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def name(self) -> str:
        return self.headers["webhook-id"]


class Receiver:
    """One URL. It answers with the statuses in their order, and with 200 from then on."""

    def __init__(self, host: Host, path: str = "/hook", statuses: Sequence[int] = ()) -> None:
        self.url = host.url(path)
        self.received: list[Received] = []
        self.statuses = list(statuses)
        host.pages[path] = self.answer

    def answer(self, asked: Asked) -> None:
        headers = {name.lower(): value for name, value in asked.headers.items()}
        body = asked.rfile.read(int(headers["content-length"]))
        status = self.statuses.pop(0) if self.statuses else 200
        self.received.append(Received(headers, body, status))
        asked.say(status, b"", Location=self.url)

    @property
    def good(self) -> list[Received]:
        return [each for each in self.received if each.status == 200]

    @property
    def types(self) -> list[str]:
        return sorted(each.event["type"] for each in self.good)


def signed_by(secret: str, received: Received) -> bool:
    """Whether a signature is of the secret: the verification of the Standard Webhooks specification."""
    key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    assert abs(time() - int(received.headers["webhook-timestamp"])) < 300
    signed = f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode() + received.body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    given = [each.partition(",") for each in received.headers["webhook-signature"].split(" ")]
    return any(version == "v1" and hmac.compare_digest(expected, value) for version, _, value in given)


def tenants(store: Store) -> None:
    """Organization 1 with three audiences and two clients."""
    whose: dict[str, Any] = {"at": NOON, "organization_id": 1, "name": "One"}
    carried_out(store, organization.decider, organization.CreateOrganization(at=NOON, slug="one", name="One"), "one")
    for slug in ("a", "b", "c"):
        carried_out(store, audience.decider, audience.CreateAudience(slug=slug, **whose), f"1/{slug}")
    for slug in ("a", "b"):
        carried_out(store, client.decider, client.CreateClient(slug=slug, **whose), f"1/{slug}")


def carried_out(store: Store, decider: Any, command: Any, key: str, client_id: int = 0) -> Accepted:
    context = Context(organization_id=1, client_id=client_id)
    [outcome] = store.handle(Order(decider=decider, command=command, context=context, key=key))
    assert isinstance(outcome, Accepted), outcome
    return outcome


def hook(store: Store, url: str, key: str = "main", client_id: int = OURS, **said: Any) -> int:
    """A webhook; gives its number."""
    command = webhook.SaveWebhook(
        at=NOON, organization_id=1, client_id=client_id, key=key, url=url, private_hosts=True, **said
    )
    return told(store, command, key, client_id).number


def told(store: Store, command: Any, key: str = "main", client_id: int = OURS) -> Accepted:
    """Say something of a webhook."""
    return carried_out(store, webhook.decider, command, webhook.natural_key(client_id, key), client_id)


def switched(store: Store, command: Callable[..., Any]) -> None:
    """Activate or deactivate our client."""
    carried_out(store, client.decider, command(at=datetime.now(UTC)), "1/b")


def secret(store: Store, number: int, generation: int = 1) -> str:
    return Secrets(store.keyring.secret(PURPOSE)).shown(number, generation)


def projecting(store: Store) -> Projector:
    return Projector(store.conninfo, direct_feed(store.conninfo), store.unsealer, READ)


@contextmanager
def delivering(store: Store, retries: Sequence[float] = AT_ONCE) -> Iterator[None]:
    """The consumers, for the length of a ``with`` block."""
    consumer = WebhooksOut(store, Outside(private_hosts=True), retries)
    with running(projecting(store).session, consumer.session):
        yield


def waiting(connection: Connection) -> list[tuple[Any, ...]]:
    """The deliveries that there are: webhook, position, attempts, error, dead or not."""
    rows = "SELECT webhook_id, position, attempts, error, dead_at IS NOT NULL FROM webhook_deliveries ORDER BY 1, 2"
    return connection.execute(rows).fetchall()


def settled(store: Store) -> None:
    """Wait until everything in the log was handed out, and nothing waits to be attempted."""
    head = store.recorder.head()
    reached = "SELECT position FROM webhook_progress"

    def holds(connection: Connection) -> bool:
        row = connection.execute(reached).fetchone()
        return bool(row and row[0] >= head) and all(dead for *_, dead in waiting(connection))

    wait_until(store.conninfo, holds, "every delivery")


def met(store: Store, email: str = "ada@example.com", **said: Any) -> int:
    [outcome] = store.handle(upsert(email, **said))
    assert isinstance(outcome, Accepted)
    return outcome.number
