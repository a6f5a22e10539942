"""Events delivered to webhooks: signed, retried, given up, each to those who wanted it and to nobody else."""

from __future__ import annotations

from threading import Event as Flag

import msgspec
import pytest

from api import dead_letters
from consumers import webhooks_out
from consumers.outside import Outside
from consumers.session import Connection, connect
from consumers.webhook_claims import WebhookClaims
from domain import client, contact, webhook
from domain.store.cloud_event import cloud_event
from domain.store.history import read_client
from domain.store.log import Store
from tests.consumers.conftest import ThroughKafka
from tests.consumers.hosts import Asked, Host
from tests.consumers.running import DEADLINE, running, wait_until
from tests.store.conftest import NOON, upsert
from tests.webhooks.scene import (
    AT_ONCE,
    OURS,
    READ,
    THEIRS,
    Receiver,
    delivering,
    hook,
    met,
    projecting,
    secret,
    settled,
    signed_by,
    switched,
    told,
    waiting,
)


def test_events_arrive_signed_and_as_the_feed_gives_them(store: Store, host: Host) -> None:
    receiver = Receiver(host)
    met(store, "before@example.com")
    number = hook(store, receiver.url)
    start = store.recorder.head()
    met(store, status="subscribed", tags=("ml",))
    met(store, status="unsubscribed")
    met(store, status="subscribed")
    with delivering(store):
        settled(store)
    feed = read_client(store, OURS, start, 100).events
    slugs = {3: "c"}
    expected = {f"dm-{number}-{r.position}": msgspec.json.encode(cloud_event(r, e, slugs)) for r, e in feed}
    assert {each.name: each.body for each in receiver.received} == expected
    assert len(receiver.received) == len(expected)
    assert "contact.resubscribed" in receiver.types
    assert all(signed_by(secret(store, number), each) for each in receiver.received)
    assert not any(signed_by(secret(store, number, 2), each) for each in receiver.received)
    assert {each.headers["content-type"] for each in receiver.received} == {"application/json"}


def test_each_gets_what_it_asked_for_and_nobody_another_clients(store: Store, host: Host) -> None:
    every, tags, theirs = (Receiver(host, path) for path in ("/every", "/tags", "/theirs"))
    hook(store, every.url, "every")
    hook(store, tags.url, "tags", types=("contact.tagged", "contact.untagged"))
    hook(store, theirs.url, "main", THEIRS)
    met(store, tags=("ml",))
    told(store, webhook.PingWebhook(at=NOON), "tags")
    with delivering(store):
        settled(store)
    assert tags.types == ["contact.tagged", "webhook.pinged"]
    assert every.types == ["contact.awaiting_confirmation", "contact.registered", "contact.tagged", "webhook.created"]
    assert theirs.received == []


def test_what_fails_is_tried_again_under_the_same_id(store: Store, host: Host, connection: Connection) -> None:
    receiver = Receiver(host, statuses=[500, 302, 404])
    number = hook(store, receiver.url)
    told(store, webhook.PingWebhook(at=NOON))
    with delivering(store):
        settled(store)
    assert [each.status for each in receiver.received] == [500, 302, 404, 200]
    assert len({(each.name, each.body) for each in receiver.received}) == 1
    assert all(signed_by(secret(store, number), each) for each in receiver.received)
    assert waiting(connection) == []


def test_what_is_given_up_may_be_tried_again(store: Store, host: Host, connection: Connection) -> None:
    receiver = Receiver(host, statuses=[500] * 3)
    number = hook(store, receiver.url)
    position = told(store, webhook.PingWebhook(at=NOON)).position
    with delivering(store, retries=(0, 0)):
        settled(store)
        assert waiting(connection) == [(number, position, 3, "status 500", True)]
        assert len(receiver.received) == 3
        [letter], _ = dead_letters.listed(connection, kind="webhook", limit=10, cursor="")
        assert (letter.client_id, letter.webhook_id, letter.position, letter.attempts) == (OURS, number, position, 3)
        assert dead_letters.retry(connection, store, letter.id)
        settled(store)
    assert receiver.types == ["webhook.pinged"]
    assert len({each.name for each in receiver.received}) == 1
    assert waiting(connection) == []


def test_pauses_grow_over_most_of_a_day() -> None:
    assert list(webhooks_out.RETRIES) == sorted(webhooks_out.RETRIES)
    assert 16 * 3600 < sum(webhooks_out.RETRIES) < 24 * 3600


def test_a_failed_attempt_waits_for_its_pause(store: Store, host: Host, connection: Connection) -> None:
    receiver = Receiver(host, statuses=[503])
    number = hook(store, receiver.url)
    position = told(store, webhook.PingWebhook(at=NOON)).position
    pause = "SELECT extract(epoch FROM next_at - now()) FROM webhook_deliveries"
    with delivering(store, retries=(3600,)):
        wait_until(store.conninfo, lambda c: waiting(c) == [(number, position, 1, "status 503", False)], "one attempt")
        row = connection.execute(pause).fetchone()
    assert row is not None
    assert 3600 - DEADLINE < row[0] <= 3600 * (1 + webhooks_out.JITTER)
    assert len(receiver.received) == 1


def test_a_receiver_that_is_gone_is_left_alone_until_it_is_switched_on(
    store: Store, host: Host, connection: Connection
) -> None:
    receiver = Receiver(host, statuses=[410])
    number = hook(store, receiver.url)
    position = told(store, webhook.PingWebhook(at=NOON)).position

    def off(_: Connection) -> bool:
        [loaded] = store.load(webhook.decider, numbers=[number])
        return bool(loaded.state.off == "gone")

    with delivering(store):
        wait_until(store.conninfo, off, "switching off")
        wait_until(store.conninfo, lambda c: waiting(c) == [(number, position, 1, "status 410", False)], "the failure")
        met(store)
        hook(store, receiver.url, is_active=True)
        settled(store)
    assert [each.status for each in receiver.received] == [410, 200]
    assert receiver.types == ["webhook.pinged"]
    assert store.read(0, 1000)[-1].topic == "webhook.switched_on@1"
    assert waiting(connection) == []


def test_one_that_hangs_delays_nobody(store: Store, host: Host) -> None:
    letting_go, quick = Flag(), Receiver(host, "/quick")
    asked: list[int] = []

    def hang(request: Asked) -> None:
        asked.append(1)
        letting_go.wait(DEADLINE)
        request.say(200)

    host.pages["/slow"] = hang
    hook(store, host.url("/slow"), "slow", types=("contact.tagged",))
    hook(store, quick.url, "quick", types=("contact.tagged",))
    for number in range(30):
        met(store, f"person{number}@example.com", tags=("ml",))
    with delivering(store):
        wait_until(store.conninfo, lambda _: len(quick.received) == 30, "the quick one's deliveries")
        held = len(asked)
        letting_go.set()
        settled(store)
    assert held == 1
    assert len(asked) == 30


def test_both_secrets_sign_after_a_rotation(store: Store, host: Host) -> None:
    receiver = Receiver(host)
    number = hook(store, receiver.url)
    told(store, webhook.RotateSecret(at=NOON.replace(year=3000)))
    told(store, webhook.PingWebhook(at=NOON))
    with delivering(store):
        settled(store)
    [ping] = receiver.received
    assert all(signed_by(secret(store, number, generation), ping) for generation in (1, 2))
    assert not signed_by(secret(store, number, 3), ping)


def test_an_erased_persons_data_goes_out_redacted(store: Store, host: Host) -> None:
    receiver = Receiver(host, statuses=[500] * 2)
    hook(store, receiver.url, types=("contact.registered", "contact.unsubscribed"))
    met(store, "eve@example.com", status="unsubscribed", unsubscribe_reason="my own words")
    with delivering(store, retries=(3600,)):
        wait_until(store.conninfo, lambda c: [row[2] for row in waiting(c)] == [1, 1], "two failures")
    assert any(b"eve@example.com" in each.body for each in receiver.received)
    erase = contact.EraseContact(at=NOON, organization_id=1)
    store.handle(msgspec.structs.replace(upsert("eve@example.com"), command=erase))
    with connect(store.conninfo, "test") as connection:
        connection.execute("UPDATE webhook_deliveries SET next_at = now()")
    with delivering(store):
        settled(store)
    assert receiver.types == ["contact.registered", "contact.unsubscribed"]
    assert [each.event["data"].get("email") for each in receiver.good] == [None, None]
    assert not any(word in each.body for each in receiver.good for word in (b"eve@", b"my own words"))


@pytest.mark.kafka
def test_the_same_through_kafka(store: Store, host: Host, kafka: str) -> None:
    through, receiver = ThroughKafka(store, kafka), Receiver(host)
    consumer = webhooks_out.WebhooksOut(store, Outside(private_hosts=True), AT_ONCE)
    with running(through.relay, through.projector(*READ), consumer.session):
        hook(store, receiver.url, types=("contact.tagged",))
        for number in range(20):
            met(store, f"person{number}@example.com", tags=("ml",))
        settled(store)
    assert receiver.types == ["contact.tagged"] * 20
    assert len({each.name for each in receiver.received}) == 20


def test_a_deactivated_client_gets_nothing(store: Store, host: Host, connection: Connection) -> None:
    receiver = Receiver(host)
    hook(store, receiver.url, types=("contact.tagged",))
    switched(store, client.DeactivateClient)
    met(store, tags=("ml",))
    with delivering(store):
        wait_until(store.conninfo, lambda c: len(waiting(c)) == 1, "the delivery")
        hook(store, Receiver(host, "/other").url, "other", THEIRS)
        told(store, webhook.PingWebhook(at=NOON), "other", THEIRS)
        wait_until(store.conninfo, lambda c: len(waiting(c)) == 1, "the other client's")
        assert receiver.received == []
        switched(store, client.ActivateClient)
        settled(store)
    assert receiver.types == ["contact.tagged"]
    assert waiting(connection) == []


def test_what_was_for_a_deleted_webhook_does_not_go_to_its_namesake(store: Store, host: Host) -> None:
    receiver = Receiver(host, statuses=[500])
    hook(store, receiver.url)
    told(store, webhook.PingWebhook(at=NOON))
    with delivering(store, retries=(0,) * 50):
        wait_until(store.conninfo, lambda _: len(receiver.received) == 2, "a failure and a retry")
    told(store, webhook.PingWebhook(at=NOON))
    told(store, webhook.DeleteWebhook(at=NOON))
    again = told(store, webhook.SaveWebhook(
        at=NOON, organization_id=1, client_id=OURS, key="main", url=receiver.url, private_hosts=True
    ))  # fmt: skip
    last = told(store, webhook.PingWebhook(at=NOON))
    with delivering(store):
        wait_until(store.conninfo, lambda _: len(receiver.received) == 3, "the new one's ping")
        settled_without(store, again.number)
    assert receiver.received[-1].event["position"] == last.position
    assert signed_by(secret(store, again.number, 2), receiver.received[-1])
    assert not signed_by(secret(store, again.number, 1), receiver.received[-1])


def settled_without(store: Store, number: int) -> None:
    """Wait until the deliveries of the webhook's former life are forgotten."""
    with connect(store.conninfo, "test") as connection:
        WebhookClaims(connection).tidy()
    wait_until(store.conninfo, lambda c: not [row for row in waiting(c) if row[0] == number], "nothing left")


def test_private_hosts_are_not_called_where_they_are_not_allowed(
    store: Store, host: Host, connection: Connection
) -> None:
    receiver = Receiver(host)
    number = hook(store, receiver.url.replace("http:", "https:"))
    position = told(store, webhook.PingWebhook(at=NOON)).position
    consumer = webhooks_out.WebhooksOut(store, Outside(private_hosts=False), ())
    with running(projecting(store).session, consumer.session):
        settled(store)
    assert waiting(connection) == [(number, position, 1, "forbidden", True)]
    assert host.asked == []
